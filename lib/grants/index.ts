import "server-only";

export { endGrantOf } from "./end-grant";
export { endSignedOutGrant } from "./end-signed-out-grant";
export { getOwnerToken, type UpstreamToken } from "./get-owner-token";
export { deleteGrant, getGrant, type GrantDetails, getGrantDetails, grantEnd, type GrantView, hasLiveGrant, type LossReason } from "./grant-state";
export { finishGrant, flowSeconds, type GrantOutcome, safePath, startGrant } from "./give-grant";
export { keepGrantsAlive, keepGrantsAliveJob } from "./keep-grants-alive";
export { startRenewal } from "./renewal";
export { type NewGrant, storeGrant } from "./store-grant";
export { findGrantOwner, tryGrant, tryGrantJob, tryGrantSoon } from "./try-grant";
export { warnOwners, warnOwnersJob } from "./warn-owners";
export type { Audience } from "./token-cache";
