import "server-only";

export { type AccessClaims, ownerOfExpired, verifyAccessToken } from "./access-token";
export { authenticate } from "./authenticate";
export { cleanUpTokens, tokenCleanupJob } from "./clean-up";
export { confirmEnded, type Ended, revokeTokensOf } from "./end-families";
export type { Caller } from "./family";
export { issueToken } from "./issue-token";
export { refuseEnded } from "./leans-on";
export { listFamilies } from "./list-families";
export { refresh, refreshPair } from "./refresh";
export { revokeAllFamilies, revokeFamily, revokeTokens } from "./revoke-tokens";
export { rotateSigningKeyJob, rotateSigningKeyNow, rotateSigningKeyWhenDue } from "./rotate-signing-key";
export { publicKeySet as keySet } from "@/lib/platform/signing-keys";
