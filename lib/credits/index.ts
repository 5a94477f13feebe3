import "server-only";

export { adjustCredits, adjustTenantCredits } from "./adjust-credits";
export { checkLedger } from "./check-ledger";
export { type Balance, getBalance, getPersonBalance } from "./get-balance";
export { type Hold, holdCredits } from "./hold-credits";
export { creditReleaseJob, releaseExpiredHolds } from "./release-expired-holds";
export { releaseHold, settleHold } from "./settle-hold";
