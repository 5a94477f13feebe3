import { findGrantOwner, tryGrantSoon } from "@/lib/grants";
import { addressLimitName, takeLimit } from "@/lib/keys";
import { now } from "@/lib/platform/clock";
import { sha256Base64url } from "@/lib/platform/crypto";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { noteLogoutToken } from "@/lib/platform/logout-mark";
import { metrics } from "@/lib/platform/metrics";
import { withRedis } from "@/lib/platform/redis";
import { type Caller, endKeycloakSession, endSessionsOf } from "@/lib/sessions";
import { type LogoutToken, verifyLogoutToken } from "./verify-logout-token";

/** A token that does not end within a day is remembered no longer than that. Seconds. */
const guard = { min: 300, max: 86_400, tolerance: 60 };
/** Refused tokens that one address may send before the rest is answered with 429. */
const refusalLimit = { requests: 300, window: 60 };

const guardKey = (jti: string) => `sl:bcl:jti:${sha256Base64url(jti)}`;

class Replayed extends SluiceError {}

/**
 * Takes Keycloak's word that somebody was signed out (OpenID Connect Back-Channel Logout 1.0). Marks come before deletions, so
 * that a sign-in under way at this moment does not outlive it. Ending what is over already is fine.
 *
 * @returns how many portal sessions lived until now.
 * @throws SluiceError `bad_request` for a token that is none of ours, or came before; `rate_limited` for an address that sent too
 *   many of those; `store_unavailable`, and then the same token may be sent again.
 */
export async function receiveLogout(caller: Caller, jws: string): Promise<number> {
  try {
    const ended = await receive(caller, jws);
    metrics.bcl.inc({ result: "accepted" });
    return ended;
  } catch (error) {
    metrics.bcl.inc({ result: isSluiceError(error, "rate_limited") ? "limited" : !isSluiceError(error, "bad_request") ? "unavailable" : error instanceof Replayed ? "replayed" : "invalid" });
    throw error;
  }
}

async function receive(caller: Caller, jws: string): Promise<number> {
  let token: LogoutToken;
  try {
    token = await verifyLogoutToken(jws);
    await claim(token);
  } catch (error) {
    if (isSluiceError(error, "bad_request")) await countRefusal(caller.ip);
    throw error;
  }
  try {
    const ended = await act(token);
    await noteLogoutToken(token);
    logger.info({ requestId: caller.requestId, clients: token.clients, ended, bySession: token.sid !== null }, "Keycloak told of a sign-out");
    return ended;
  } catch (error) {
    // Not done, so its repetition is no replay.
    await withRedis((client) => client.del(guardKey(token.jti))).catch(() => undefined);
    throw error;
  }
}

async function claim({ jti, expiresAt }: LogoutToken): Promise<void> {
  const seconds = Math.min(guard.max, Math.max(guard.min, Math.ceil(expiresAt - now() / 1000) + guard.tolerance));
  const first = await withRedis((client) => client.set(guardKey(jti), "1", "EX", seconds, "NX"));
  if (first !== "OK") throw new Replayed("bad_request", "The logout token is not valid: it was used before.");
}

async function act(token: LogoutToken): Promise<number> {
  const { issuer, clients, sub, sid, issuedAt } = token;
  let ended = 0;
  // A grant's client is also told when only its consent was withdrawn, and then the person stays signed in.
  if (clients.includes("web")) {
    if (sid !== null) ended = await endKeycloakSession(sid, "backchannel");
    else if (sub !== null) ended = await endSessionsOf({ iss: issuer, sub }, "backchannel", { notBefore: issuedAt });
  }
  if (token.revokesOffline || clients.some((client) => client !== "web")) {
    const userId = await findGrantOwner({ issuer, sub, sid });
    if (userId) await tryGrantSoon(userId);
  }
  return ended;
}

/** Only a token that was refused counts: Keycloak sends a sign-out once, and may share its address with a sender of junk. */
async function countRefusal(ip: string | null): Promise<void> {
  const address = addressLimitName(ip);
  if (!address) return;
  const taken = await takeLimit(`bcl:${address}`, refusalLimit);
  if (!taken.ok) throw new SluiceError("rate_limited", `Too many logout tokens from this address were refused. Retry after ${taken.retryAfterSeconds} seconds.`, { retryAfterSeconds: taken.retryAfterSeconds });
}
