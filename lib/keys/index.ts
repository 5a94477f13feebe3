import "server-only";

export { checkCall } from "./check-call";
export { type CreatedKey, createKey } from "./create-key";
export { getKey } from "./get-key";
export { familyRecordKey } from "./key-records";
export { addressLimitName, countFailure, giveBackLimit, hashedName, limitFailures, takeLimit } from "./limit";
export { listKeys } from "./list-keys";
export type { Taken } from "./local-limit";
export { revokeKey, revokeKeys } from "./revoke-key";
export { hashSecret, looksLikeSecret, newSecret } from "./secret";
export { updateKey } from "./update-key";
export type { CheckOptions, Subject, Verdict } from "./verdict";
