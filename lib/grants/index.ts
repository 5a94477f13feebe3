import "server-only";

export { endGrantOf } from "./end-grant";
export { getOwnerToken, type UpstreamToken } from "./get-owner-token";
export { deleteGrant, getGrant, grantEnd, type GrantView, hasLiveGrant } from "./grant-state";
export { finishGrant, flowSeconds, type GrantOutcome, safePath, startGrant } from "./give-grant";
export { type NewGrant, storeGrant } from "./store-grant";
export type { Audience } from "./token-cache";
