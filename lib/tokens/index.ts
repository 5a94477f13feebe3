import "server-only";

export { type AccessClaims, verifyAccessToken } from "./access-token";
export { authenticate } from "./authenticate";
export { confirmEnded, revokeTokensOf } from "./end-families";
export type { Caller } from "./family";
export { refresh } from "./refresh";
export { publicKeySet as keySet } from "@/lib/platform/signing-keys";
