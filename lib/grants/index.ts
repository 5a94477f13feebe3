import "server-only";

export { getOwnerToken, type UpstreamToken } from "./get-owner-token";
export { deleteGrant, getGrant, grantEnd, type GrantView, hasLiveGrant } from "./grant-state";
export { finishGrant, flowSeconds, type GrantOutcome, safePath, startGrant } from "./give-grant";
export { type NewGrant, storeGrant } from "./store-grant";
export { findGrantOwner, tryGrant, tryGrantJob, tryGrantSoon } from "./try-grant";
export type { Audience } from "./token-cache";
