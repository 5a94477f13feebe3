import type { SessionHandle } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { exchangeToken, isTokenEndpointError } from "@/lib/platform/keycloak";
import { unlessFrozen } from "@/lib/platform/keycloak-patience";
import { metrics } from "@/lib/platform/metrics";
import { isUnderWay, join } from "@/lib/platform/single-flight";
import { type Audience, DerivedToken, openFor, sealFor } from "./record";
import { pauseUntil, refreshSession, refuseWhilePaused, type Unlocked, unlock } from "./refresh";
import { backOff, openSession, storeDerived } from "./store";

/** A token to send to an engine. `generation` names the tokens that it comes from; say it back when the engine refuses it. */
export type UpstreamToken = { accessToken: string; generation: number; /** ms */ expiresAt: number; /** Whether Keycloak was asked for it just now: it may have said a new role. */ isNew?: true };

const forcedEveryMs = 5000;

/** How long before its end a token is replaced: 30 s and some jitter, at most a third of its life. */
export function marginMs(lifeSeconds: number): number {
  return Math.min(30_000 + Math.random() * 5000, (lifeSeconds * 1000) / 3);
}

/**
 * The session's access token for one engine, refreshed and narrowed when needed. Warm, it costs one round trip to Redis.
 * @param options.staleGeneration the generation that the engine answered 401 to: it is replaced first, at most once in 5 s.
 * @throws SluiceError `session_expired`, `identity_unavailable`, `auth_busy`, `store_unavailable`
 */
export async function getSessionToken(handle: SessionHandle, audience: Audience, options: { staleGeneration?: number } = {}): Promise<UpstreamToken> {
  const { staleGeneration } = options;
  const askedAt = performance.now();
  const took = (how: "warm" | "refreshed" | "waited") => metrics.sessionToken.observe((performance.now() - askedAt) / 1000, { how });
  const { meta, blob } = await openSession(handle, audience, { touch: true });
  const known = blob && meta.gen !== staleGeneration ? openFor(handle, `t:${audience}`, meta, blob, DerivedToken) : null;
  if (known && known.atExp - now() > marginMs(known.lifeS)) {
    took("warm");
    return { accessToken: known.at, generation: meta.gen, expiresAt: known.atExp };
  }
  const flight = `sl:s:${handle.sessionId}|${handle.share}|${audience}|${staleGeneration ?? ""}`;
  const how = isUnderWay(flight) ? "waited" : "refreshed";
  try {
    const token = await unlessFrozen(join(flight, () => mint(handle, audience, staleGeneration)));
    took(how);
    return { ...token, isNew: true };
  } catch (error) {
    // While Keycloak cannot make another, the one that still lives is still good.
    const isLater = isTokenEndpointError(error, "busy", "unavailable", "misconfigured") || isSluiceError(error, "auth_busy");
    if (known && isLater && known.atExp > now() + 1000) return { accessToken: known.at, generation: meta.gen, expiresAt: known.atExp };
    throw error;
  }
}

async function mint(handle: SessionHandle, audience: Audience, staleGeneration: number | undefined): Promise<UpstreamToken> {
  const current = await currentTokens(handle, staleGeneration);
  if (env().TOKEN_NARROWING === "none") return { accessToken: current.tokens.at, generation: current.meta.gen, expiresAt: current.tokens.atExp };
  try {
    return await narrow(handle, current, audience);
  } catch (error) {
    // The access token was ended before its time; whether the session still lives, its refresh tells. `access_denied` is about the clients.
    if (!isTokenEndpointError(error, "refused") || error.error === "access_denied") throw error;
    return narrow(handle, await refreshSession(handle, current.meta.gen), audience);
  }
}

/** Renews what is stale or about to end. While Keycloak cannot, a token that still lives is still good. */
async function currentTokens(handle: SessionHandle, staleGeneration: number | undefined): Promise<Unlocked> {
  const current = await unlock(handle, { touch: false });
  const { meta, tokens } = current;
  const forced = meta.gen === staleGeneration && now() - meta.refreshed_at >= forcedEveryMs;
  if (!forced && tokens.atExp - now() > marginMs(tokens.lifeS)) return current;
  try {
    return await refreshSession(handle, meta.gen);
  } catch (error) {
    if (!forced && isTokenEndpointError(error) && tokens.atExp > now() + 1000) return current;
    throw error;
  }
}

async function narrow(handle: SessionHandle, { meta, tokens }: Unlocked, audience: Audience): Promise<UpstreamToken> {
  refuseWhilePaused(meta);
  const made = await exchangeToken("web", tokens.at, audience).catch(async (error: unknown) => {
    if (isTokenEndpointError(error, "busy", "unavailable")) await backOff(handle.sessionId, meta.gen, pauseUntil(error), { keepsWord: true });
    throw error;
  });
  // Kept to its end, and not only until it is due for another: see above.
  const lasts = made.expiresAt - now();
  if (lasts > 0) {
    const blob = sealFor(handle, `t:${audience}`, meta.gen, meta.sub, { at: made.accessToken, atExp: made.expiresAt, lifeS: made.expiresInSeconds });
    await storeDerived(handle.sessionId, audience, meta.gen, blob, lasts);
  }
  return { accessToken: made.accessToken, generation: meta.gen, expiresAt: made.expiresAt };
}
