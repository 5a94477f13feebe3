import "server-only";

export { checkCall } from "./check-call";
export { type CreatedKey, createKey } from "./create-key";
export { endQuietOverlaps, endQuietOverlapsJob, endRotation } from "./end-rotation";
export { getAnyKey, getKey } from "./get-key";
export { getRotation } from "./get-rotation";
export { familyRecordKey } from "./key-records";
export { countFailure, giveBackLimit, hashedName, limitFailures, takeLimit } from "./limit";
export { listKeyReminders } from "./list-key-reminders";
export { listKeys } from "./list-keys";
export type { Taken } from "./local-limit";
export { noteCaller } from "./note-caller";
export { revokeAnyKey, revokeKey, revokeKeys } from "./revoke-key";
export { rotateKey } from "./rotate-key";
export { hashSecret, looksLikeSecret, newSecret } from "./secret";
export { updateAnyKey, updateKey } from "./update-key";
export type { CheckOptions, Subject, Verdict } from "./verdict";
export { verifyKey } from "./verify-key";
