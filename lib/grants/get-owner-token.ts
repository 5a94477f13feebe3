import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { exchangeToken, isTokenEndpointError } from "@/lib/platform/keycloak";
import { unlessFrozen } from "@/lib/platform/keycloak-patience";
import { metrics } from "@/lib/platform/metrics";
import { isUnderWay, join } from "@/lib/platform/single-flight";
import { clientOf, getUsableRow, pauseMs, refreshGrant, refuseWhilePaused } from "./refresh-grant";
import { type Audience, backOff, isFresh, keepAccess, type OwnerAccess, readAccess } from "./token-cache";
import type { GrantRow } from "./vault";

/** A token to send to an engine. `generation` names the tokens that it comes from; say it back when the engine refuses it. */
export type UpstreamToken = { accessToken: string; generation: number; /** ms */ expiresAt: number; /** Whether Keycloak was asked for it just now: it may have said a new role. */ isNew?: true };

const forcedEveryMs = 5000;

/**
 * An access token of the owner for one engine, from the grant that they gave once. Warm, it costs one round trip to Redis.
 * @param options.staleGeneration the generation that the engine answered 401 to: it is replaced first, at most once in 5 s.
 * @throws SluiceError `owner_reauth_required` with `grantUrl` when there is no usable grant, `owner_disabled`,
 *   `identity_unavailable`, `auth_busy`, `store_unavailable`
 */
export async function getOwnerToken(userId: string, audience: Audience, options: { staleGeneration?: number } = {}): Promise<UpstreamToken> {
  const { staleGeneration } = options;
  const askedAt = performance.now();
  const took = (how: "warm" | "refreshed" | "waited") => metrics.sessionToken.observe((performance.now() - askedAt) / 1000, { how });
  const known = await readAccess(userId, audience);
  if (known && known.generation !== staleGeneration && isFresh(known)) {
    took("warm");
    return upstreamToken(known);
  }
  const flight = `sl:g:${userId}|${audience}|${staleGeneration ?? ""}`;
  const how = isUnderWay(flight) ? "waited" : "refreshed";
  try {
    const token = await unlessFrozen(join(flight, () => counted(mint(userId, audience, staleGeneration))));
    took(how);
    return { ...token, isNew: true };
  } catch (error) {
    // While Keycloak cannot make another, the one that still lives is still good.
    const isLater = isTokenEndpointError(error, "busy", "unavailable", "misconfigured") || isSluiceError(error, "auth_busy");
    if (known && isLater && known.generation !== staleGeneration && known.expiresAt > now() + 1000) return upstreamToken(known);
    throw error;
  }
}

async function counted(minted: Promise<UpstreamToken>): Promise<UpstreamToken> {
  const strategy = "offline";
  try {
    const token = await minted;
    metrics.vaultMint.inc({ strategy, result: "ok" });
    return token;
  } catch (error) {
    metrics.vaultMint.inc({ strategy, result: isSluiceError(error, "owner_reauth_required") ? "reauth_required" : isSluiceError(error, "owner_disabled") ? "disabled" : "unavailable" });
    throw error;
  }
}

async function mint(userId: string, audience: Audience, staleGeneration: number | undefined): Promise<UpstreamToken> {
  const row = await getUsableRow(userId);
  const own = await ownAccess(row, staleGeneration);
  if (env().TOKEN_NARROWING === "none") return upstreamToken(own);
  try {
    return await narrow(row, own, audience);
  } catch (error) {
    // The access token was ended before its time; whether the grant still lives, its refresh tells. `access_denied` is about the clients.
    if (!isTokenEndpointError(error, "refused") || error.error === "access_denied") throw error;
    return narrow(row, await refreshGrant(userId, own.generation), audience);
  }
}

/** While Keycloak cannot renew it, a token that still lives is still good. */
async function ownAccess(row: GrantRow, staleGeneration: number | undefined): Promise<OwnerAccess> {
  const known = await readAccess(row.userId, "self");
  const current = known?.generation === row.generation ? known : null;
  const forced = row.generation === staleGeneration && now() - (row.lastUsedAt?.getTime() ?? 0) >= forcedEveryMs;
  if (!forced && current && isFresh(current)) return current;
  try {
    return await refreshGrant(row.userId, forced ? staleGeneration : undefined);
  } catch (error) {
    if (!forced && current && current.expiresAt > now() + 1000 && isTokenEndpointError(error)) return current;
    throw error;
  }
}

async function narrow(row: GrantRow, own: OwnerAccess, audience: Audience): Promise<UpstreamToken> {
  await refuseWhilePaused(row.userId);
  const made = await exchangeToken(clientOf(row), own.accessToken, audience).catch(async (error: unknown) => {
    if (isTokenEndpointError(error, "busy", "unavailable")) await backOff(row.userId, { kind: "unavailable", ms: pauseMs(error) });
    throw error;
  });
  const access: OwnerAccess = { accessToken: made.accessToken, expiresAt: made.expiresAt, lifeSeconds: made.expiresInSeconds, generation: own.generation };
  await keepAccess(row.userId, audience, access);
  return upstreamToken(access);
}

function upstreamToken({ accessToken, generation, expiresAt }: OwnerAccess): UpstreamToken {
  return { accessToken, generation, expiresAt };
}
