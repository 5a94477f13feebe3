import "server-only";

export { identityOf } from "./identity";
export { type PersonState, getPersonState, findPersonState, loadPersonState, parsePerson, tenantRecordKey, userRecordKey, writePersonRecords } from "./person-state";
export { rememberPerson } from "./remember-person";
export { findPersonByEmail, findUserId, getPerson } from "./find-person";
export type { Identity } from "./schemas";
