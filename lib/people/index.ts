import "server-only";

export { findLastSync } from "./find-last-sync";
export { getPersonDetails } from "./get-person-details";
export { listPeople } from "./list-people";
export { listPersonChatflows } from "./list-person-chatflows";
export { revokePerson } from "./revoke-person";
export { updatePerson } from "./update-person";
export { peopleSyncJob, syncPeople } from "./sync-people";
export { syncPersonByEmail } from "./sync-person-by-email";
export { peopleSweepJob, sweepPeople } from "./sweep-people";
export { takeOverDisabled } from "./take-over-disabled";
export { receiveLogout } from "./back-channel-logout";
