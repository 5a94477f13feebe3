import { decodeJwt } from "jose";
import type { SessionHandle } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { isSluiceError } from "@/lib/platform/errors";
import { insist } from "@/lib/platform/insist";
import { isTokenEndpointError, requestToken, revokeToken, saysDisabled, TokenEndpointError, type TokenSet, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { type Lease, singleFlight } from "@/lib/platform/single-flight";
import { identityOf, rememberPerson, tellDisabled } from "@/lib/tenants";
import { recordSessionEnd } from "./audit";
import { sessionExpired } from "./marks";
import { openTokens } from "./open-tokens";
import { sealFor, type SessionMeta, type SessionTokens } from "./record";
import { backOff, channelOf, commitTokens, lockKey, markDead, markInflight, openSession } from "./store";

/** A session with its tokens opened. */
export type Unlocked = { meta: SessionMeta; tokens: SessionTokens };

const backOffMs = 2000;

/** @throws SluiceError `session_expired`, also when the blob does not open: without the right share there is no session. */
export async function unlock(handle: SessionHandle, options: { touch: boolean }): Promise<Unlocked> {
  const { meta, blob } = await openSession(handle, "tokens", options);
  return { meta, tokens: await openTokens(handle, meta, blob) };
}

/**
 * Sees to it that the tokens of `generation` are replaced, by one refresh however many ask on however many replicas.
 * @throws SluiceError `session_expired`, `auth_busy`, `store_unavailable`; TokenEndpointError, and then the session is kept.
 */
export function refreshSession(handle: SessionHandle, generation: number): Promise<Unlocked> {
  const id = handle.sessionId;
  return singleFlight(`${lockKey(id)}|${handle.share}|${generation}`, {
    lockKey: lockKey(id),
    channel: channelOf(id),
    find: async () => {
      const current = await unlock(handle, { touch: false });
      if (current.meta.gen !== generation) return { done: true, value: current };
      refuseWhilePaused(current.meta);
      return { done: false, state: current };
    },
    run: (current, lease) => redeem(handle, current, lease),
  });
}

/** @throws TokenEndpointError while the session leaves Keycloak alone. */
export function refuseWhilePaused(meta: SessionMeta): void {
  const waitMs = meta.backoff_until - now();
  if (waitMs > 0) throw new TokenEndpointError("unavailable", { description: "paused after a failure", retryAfterSeconds: Math.ceil(waitMs / 1000) });
}

async function redeem(handle: SessionHandle, current: Unlocked, lease: Lease): Promise<Unlocked> {
  const { sessionId: id } = handle;
  const { gen, sub } = current.meta;
  const mark = await markInflight(id, gen);
  if (mark === "moved") return unlock(handle, { touch: false });
  lease.assertHeld();
  let fresh: TokenSet;
  try {
    fresh = await requestToken("web", { grant_type: "refresh_token", refresh_token: current.tokens.rt });
  } catch (error) {
    return refused(handle, current, error, mark === "again");
  }
  const tokens: SessionTokens = {
    at: fresh.accessToken, atExp: fresh.expiresAt, lifeS: fresh.expiresInSeconds,
    rt: fresh.refreshToken ?? current.tokens.rt, rtExp: fresh.refreshExpiresAt, scope: fresh.scope ?? current.tokens.scope,
  };
  const settled = await settle(handle, current, tokens, gen, sub);
  await learn(handle, settled);
  // Whoever ended the session while we asked Keycloak must find it ended.
  return unlock(handle, { touch: false }).catch(async (error: unknown) => {
    if (isSluiceError(error, "session_expired")) await giveUp(settled.tokens.rt);
    throw error;
  });
}

/** Writes what was obtained; when a takeover wrote first, the refresh token that was issued later stays (rotation honours only that one). */
async function settle(handle: SessionHandle, current: Unlocked, tokens: SessionTokens, generation: number, sub: string): Promise<Unlocked> {
  const blob = sealFor(handle, "t", generation + 1, sub, tokens);
  const done = await insist(() => commitTokens(handle.sessionId, generation, blob, tokens));
  if (done === "ok") return { meta: { ...current.meta, gen: generation + 1, at_exp: tokens.atExp }, tokens };
  metrics.commitRefused.inc();
  if (done === "gone") {
    await giveUp(tokens.rt);
    throw sessionExpired("ended while it was renewed");
  }
  const theirs = await unlock(handle, { touch: false });
  return issuedAt(tokens.rt) > issuedAt(theirs.tokens.rt) ? settle(handle, theirs, tokens, theirs.meta.gen, sub) : theirs;
}

function issuedAt(refreshToken: string): number {
  try {
    return decodeJwt(refreshToken).iat ?? 0;
  } catch {
    return 0;
  }
}

/** How long a session leaves Keycloak alone after this. */
export function pauseUntil(error: TokenEndpointError): number {
  return now() + Math.max(backOffMs, (error.retryAfterSeconds ?? 0) * 1000);
}

/** What a failed refresh means: only `invalid_grant` says anything of the session, and "User disabled" of all that the person acts by. */
async function refused(handle: SessionHandle, current: Unlocked, error: unknown, tokenMayBeSpent: boolean): Promise<Unlocked> {
  const { sessionId: id } = handle;
  const { gen } = current.meta;
  if (!isTokenEndpointError(error)) throw error;
  if (error.kind !== "invalid_grant") {
    const isAlone = await backOff(id, gen, pauseUntil(error), { keepsWord: tokenMayBeSpent || (error.kind === "unavailable" && error.cause !== undefined) });
    if (!isAlone) return unlock(handle, { touch: false });
    throw error;
  }
  if (saysDisabled(error)) tellDisabled(current.meta.uid);
  const reason = tokenMayBeSpent ? "rotation_lost" : /disabled/i.test(error.description) ? "user_disabled" : "ended_at_keycloak";
  if (!(await markDead(id, gen, reason))) return unlock(handle, { touch: false });
  logger.info({ sessionId: id, reason, description: error.description }, "a session ended: Keycloak refused its refresh token");
  await recordSessionEnd(id, current.meta, reason).catch((cause: unknown) => logger.error({ err: cause, sessionId: id }, "the end of a session was not recorded"));
  throw sessionExpired(reason);
}

/** A changed role or tenant reaches every key and page with the refresh. The tokens are safe by now, so failing here is only told. */
async function learn(handle: SessionHandle, { meta, tokens }: Unlocked): Promise<void> {
  try {
    const claims = await verifyKeycloakToken(tokens.at);
    if (claims.sub === meta.sub) await rememberPerson(identityOf(claims));
    else {
      await markDead(handle.sessionId, meta.gen, "subject_changed");
      throw sessionExpired("subject_changed");
    }
  } catch (error) {
    if (isSluiceError(error, "session_expired")) throw error;
    logger.error({ err: error, sessionId: handle.sessionId }, "what a refreshed token says of its person was not taken over");
  }
}

async function giveUp(refreshToken: string): Promise<void> {
  await revokeToken("web", refreshToken).catch((error: unknown) => logger.warn({ err: error }, "a refresh token of an ended session was not revoked"));
}
