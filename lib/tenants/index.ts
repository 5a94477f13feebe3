import "server-only";

export { createPlan } from "./create-plan";
export { createTenant } from "./create-tenant";
export { deletePlan } from "./delete-plan";
export { getPlan } from "./get-plan";
export { findTenantId, getTenant } from "./get-tenant";
export { identityOf } from "./identity";
export { type PersonState, getPersonState, findPersonState, loadPersonState, parsePerson, tenantRecordKey, userRecordKey, writePersonRecords } from "./person-state";
export { type Limits, limitsOf } from "./limits";
export { listPlans } from "./list-plans";
export { listTenants } from "./list-tenants";
export { updatePlan } from "./update-plan";
export { updateTenant } from "./update-tenant";
export { type FoundPerson, lookUpPerson, lookUpPersonById } from "./look-up-person";
export { rememberPerson } from "./remember-person";
export { findPersonByEmail, findUserId, getPerson } from "./find-person";
export type { Identity } from "./schemas";
