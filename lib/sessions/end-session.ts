import type { SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { randomToken } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { endSessionAtKeycloak, endSessionUrl, isTokenEndpointError } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics, sessionEndOf } from "@/lib/platform/metrics";
import { findPersonState } from "@/lib/tenants";
import { type Caller, personContext, unknownCaller } from "./audit";
import { holdsShare } from "./open-tokens";
import { openFor, SessionTokens } from "./record";
import { openSession, removeSession } from "./store";

/**
 * Ends a session here, and Keycloak's own with all its tokens; a session that is over already is fine. We tell Keycloak ourselves: the
 * browser would have to carry the ID token there, in an address.
 *
 * @returns where to send the browser: to `/signed-out`, or to Keycloak's page that asks first, where Keycloak's session may live and
 *   we hold nothing of it any more. `state` is with the browser that comes to `/signed-out` once both are over; null when
 *   Keycloak did not answer.
 * @throws SluiceError `store_unavailable`: the session was not ended.
 */
export async function endSession(handle: SessionHandle, caller: Caller = unknownCaller()): Promise<{ logoutUrl: string; state: string | null }> {
  const tokens = await removeRecord(handle, caller, "signed_out");
  const signedOut = `${env().AUTH_URL}/signed-out`;
  const state = randomToken(16);
  try {
    if (tokens && (await endedAtKeycloak(tokens.rt))) return { logoutUrl: `${signedOut}?state=${state}`, state };
    return { logoutUrl: await endSessionUrl(signedOut, state), state };
  } catch (error) {
    logger.warn({ err: error }, "Keycloak did not answer to a sign-out: the session there may live on");
    return { logoutUrl: signedOut, state: null };
  }
}

/** @throws TokenEndpointError when Keycloak does not answer. */
async function endedAtKeycloak(refreshToken: string): Promise<boolean> {
  try {
    await endSessionAtKeycloak("web", refreshToken);
    return true;
  } catch (error) {
    if (isTokenEndpointError(error, "busy", "unavailable")) throw error;
    logger.warn({ err: error }, "Keycloak did not take a sign-out; the person is asked there");
    return false;
  }
}

/** Ends the session that a new sign-in replaces. Nothing is revoked: both share one client session at Keycloak, and the new one lives. */
export async function replaceSession(handle: SessionHandle, caller: Caller): Promise<void> {
  await removeRecord(handle, caller, "signed_in_again");
}

async function removeRecord(handle: SessionHandle, caller: Caller, reason: string): Promise<SessionTokens | null> {
  let opened;
  try {
    opened = await openSession(handle, "tokens", { touch: false });
  } catch (error) {
    if (isSluiceError(error, "session_expired")) return null;
    throw error;
  }
  const { meta, blob } = opened;
  const known = openFor(handle, "t", meta, blob, SessionTokens);
  // Whoever has the handle but not the share does not hold the cookie, and ends nothing.
  if ((!known && !holdsShare(handle, meta)) || !(await removeSession(handle.sessionId, meta))) return null;
  metrics.sessionEnded.inc({ reason: sessionEndOf(reason) });
  const state = await findPersonState(meta.uid);
  if (state) {
    await transaction((tx) => recordAudit(tx, personContext(state.person, handle, caller), { action: "session.ended", target: { type: "session", id: handle.sessionId }, data: { reason } }))
      .catch((error: unknown) => logger.error({ err: error, sessionId: handle.sessionId }, "a sign-out was not recorded"));
  }
  return known;
}
