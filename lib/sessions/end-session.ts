import type { SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { randomToken } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { endSessionUrl, revokeToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics, sessionEndOf } from "@/lib/platform/metrics";
import { findPersonState } from "@/lib/tenants";
import { type Caller, personContext, unknownCaller } from "./audit";
import { holdsShare } from "./open-tokens";
import { openFor, SessionTokens } from "./record";
import { openSession, removeSession } from "./store";

/**
 * Ends a session here and revokes its tokens at Keycloak; a session that is over already is fine.
 *
 * @returns where to send the browser so that Keycloak's own session ends too and leads back to `/signed-out`. It carries the
 *   ID token as hint, as RP-Initiated Logout wants (Keycloak takes an expired one too): without it Keycloak asks the person first.
 *   `state` comes back with the browser once Keycloak's session is over; null when Keycloak's address was never read, so it goes nowhere.
 * @throws SluiceError `store_unavailable`: the session was not ended.
 */
export async function endSession(handle: SessionHandle, caller: Caller = unknownCaller()): Promise<{ logoutUrl: string; state: string | null }> {
  const tokens = await removeRecord(handle, caller, "signed_out");
  if (tokens) await revokeToken("web", tokens.rt).catch((error: unknown) => logger.warn({ err: error }, "Keycloak did not take a sign-out; the browser still carries it there"));
  const signedOut = `${env().AUTH_URL}/signed-out`;
  const state = randomToken(16);
  try {
    return { logoutUrl: await endSessionUrl(tokens?.idt ?? null, signedOut, state), state };
  } catch (error) {
    logger.warn({ err: error }, "Keycloak's sign-out page is not known");
    return { logoutUrl: signedOut, state: null };
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
