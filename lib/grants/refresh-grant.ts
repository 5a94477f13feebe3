import { decodeJwt } from "jose";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { insist } from "@/lib/platform/insist";
import { isTokenEndpointError, keycloakClientOf, type KeycloakClient, requestToken, revokeToken, saysDisabled, TokenEndpointError, type TokenSet, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { type Lease, singleFlight } from "@/lib/platform/single-flight";
import { identityOf, rememberPerson, tellDisabled } from "@/lib/tenants";
import { backOff, channelOf, clearInflight, dropAccess, isFresh, keepAccess, lockKey, markInflight, type OwnerAccess, readAccess, readBackOff } from "./token-cache";
import { findGrantRow, type GrantRow, grantsContext, isReadable, openOfflineToken, ownerDisabled, ownerReauthRequired, sealOfflineToken } from "./vault";

const unavailableMs = 2000;
/** A disabled owner is asked about again after this, so that enabling them works by itself. */
const disabledMs = 3000;

/** @throws SluiceError `owner_reauth_required` when there is nothing to refresh with. */
export async function getUsableRow(userId: string): Promise<GrantRow> {
  const row = await findGrantRow(userId);
  if (!row || row.status === "needs_reauth" || !row.sealed) throw ownerReauthRequired();
  if (!isReadable(row)) {
    logger.error({ userId, kid: row.sealed.split(".")[1] }, "machine access cannot be used: VAULT_KEKS lacks the key that it was sealed with");
    throw ownerReauthRequired();
  }
  return row;
}

/** Which client a grant came through; null when the operator took it out of the settings. */
export function clientOf(row: GrantRow): KeycloakClient {
  const client = keycloakClientOf(row.clientId);
  if (!client) throw ownerReauthRequired();
  return client;
}

/**
 * The grant's own access token, by one refresh however many need it on however many replicas.
 * @param staleGeneration a generation whose tokens are no good any more.
 * @throws SluiceError `owner_reauth_required`, `owner_disabled`, `auth_busy`, `store_unavailable`; TokenEndpointError, and then the grant is kept.
 */
export function refreshGrant(userId: string, staleGeneration?: number): Promise<OwnerAccess> {
  return singleFlight(`${lockKey(userId)}|${staleGeneration ?? ""}`, {
    lockKey: lockKey(userId),
    channel: channelOf(userId),
    find: async () => {
      const row = await getUsableRow(userId);
      const known = await readAccess(userId, "self");
      if (known && known.generation === row.generation && row.generation !== staleGeneration && isFresh(known)) return { done: true, value: known };
      await refuseWhilePaused(userId);
      return { done: false, state: row };
    },
    run: redeem,
  });
}

/** @throws TokenEndpointError while the grant leaves Keycloak alone; SluiceError `owner_disabled` */
export async function refuseWhilePaused(userId: string): Promise<void> {
  const wait = await readBackOff(userId);
  if (wait?.kind === "disabled") throw ownerDisabled();
  if (wait) throw new TokenEndpointError("unavailable", { description: "paused after a failure", retryAfterSeconds: Math.ceil(wait.ms / 1000) });
}

/** How long a grant leaves Keycloak alone after this. */
export function pauseMs(error: TokenEndpointError): number {
  return Math.max(unavailableMs, (error.retryAfterSeconds ?? 0) * 1000);
}

async function redeem(row: GrantRow, lease: Lease): Promise<OwnerAccess> {
  const refreshToken = openOfflineToken(row);
  if (!refreshToken) throw await lose(row, "unreadable");
  const client = clientOf(row);
  const tokenMayBeSpent = await markInflight(row.userId, row.generation);
  lease.assertHeld();
  let tokens: TokenSet;
  try {
    tokens = await requestToken(client, { grant_type: "refresh_token", refresh_token: refreshToken });
  } catch (error) {
    throw await meaningOf(row, error, tokenMayBeSpent);
  }
  const access = await persist(row, { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken }, client);
  await learn(row, access);
  return access;
}

/** The rotated token is safe in the database before anything else happens with what came along. */
async function persist(row: GrantRow, tokens: TokenSet & { refreshToken: string }, client: KeycloakClient): Promise<OwnerAccess> {
  const generation = row.generation + 1;
  const idleDeadlineAt = tokens.refreshExpiresAt === null ? null : new Date(tokens.refreshExpiresAt);
  const written = await insist(() => transaction(async (tx) => {
    const { count } = await tx.ownerGrant.updateMany({
      where: { userId: row.userId, generation: row.generation },
      data: {
        generation, sealed: sealOfflineToken(row, row.salt, generation, tokens.refreshToken), status: "active", statusReason: null,
        lastUsedAt: nowDate(), idleDeadlineAt, absDeadlineAt: absoluteEnd(row, idleDeadlineAt),
      },
    });
    if (count === 1 && row.status === "owner_disabled") await recordAudit(tx, grantsContext(), { action: "grant.resumed", target: { type: "user", id: row.userId }, tenantId: row.tenantId });
    return count === 1;
  }));
  if (!written) {
    metrics.commitRefused.inc();
    return yieldTo(row, tokens, client);
  }
  const access: OwnerAccess = { accessToken: tokens.accessToken, expiresAt: tokens.expiresAt, lifeSeconds: tokens.expiresInSeconds, generation };
  await dropAccess(row.userId, generation);
  await clearInflight(row.userId);
  await keepAccess(row.userId, "self", access);
  return access;
}

/**
 * Keycloak tells only the nearer of two ends, idle or absolute. Each use starts the idle time anew, so an end that is nearer now
 * than the last one was then is the absolute one.
 */
function absoluteEnd(row: GrantRow, endsAt: Date | null): Date | null {
  if (!endsAt) return null;
  if (!row.idleDeadlineAt) return row.absDeadlineAt;
  const usedAt = (row.lastUsedAt ?? row.givenAt).getTime();
  const [leftThen, leftNow] = [row.idleDeadlineAt.getTime() - usedAt, endsAt.getTime() - now()];
  // Within a minute the difference is that of two clocks and their rounding.
  return now() - usedAt > 60_000 && leftNow < leftThen - 10_000 ? endsAt : row.absDeadlineAt;
}

/** Somebody wrote meanwhile: the owner gave or took the grant, or another process took over. */
async function yieldTo(row: GrantRow, tokens: TokenSet & { refreshToken: string }, client: KeycloakClient): Promise<OwnerAccess> {
  const current = await findGrantRow(row.userId);
  if (!current?.sealed) {
    await revokeToken(client, tokens.refreshToken).catch((error: unknown) => logger.warn({ err: error, userId: row.userId }, "a token of a grant that was taken back was not revoked"));
    throw ownerReauthRequired();
  }
  // Two refreshes of one chain: with rotation only the last token issued is honoured, so never revoke here, and keep the later.
  const theirs = openOfflineToken(current);
  const sameChain = current.kcSid === row.kcSid && current.clientId === row.clientId;
  if (sameChain && theirs && issuedAt(tokens.refreshToken) > issuedAt(theirs)) return persist(current, tokens, client);
  const known = await readAccess(row.userId, "self");
  if (known?.generation === current.generation) return known;
  throw changed(current);
}

/** Somebody wrote first: taken back is final, given anew works the next time. */
function changed(current: GrantRow | null): SluiceError {
  return current?.sealed ? new SluiceError("auth_busy", "Machine access has just changed. Try again.", { retryAfterSeconds: 1 }) : ownerReauthRequired();
}

function issuedAt(refreshToken: string): number {
  try {
    return decodeJwt(refreshToken).iat ?? 0;
  } catch {
    return 0;
  }
}

async function meaningOf(row: GrantRow, error: unknown, tokenMayBeSpent: boolean): Promise<unknown> {
  if (!isTokenEndpointError(error)) return error;
  const { kind, description } = error;
  if (kind !== "invalid_grant" && kind !== "refused") {
    // After a missed deadline the token may be spent, so the word about it stays.
    if (!tokenMayBeSpent && !(kind === "unavailable" && error.cause !== undefined)) await clearInflight(row.userId);
    if (kind !== "personal") await backOff(row.userId, { kind: "unavailable", ms: pauseMs(error) });
    return error;
  }
  await clearInflight(row.userId);
  if (saysDisabled(error)) tellDisabled(row.userId);
  if (/disabled|offline access not granted|offline[ _]access.*not allowed/i.test(description)) return suspend(row);
  return lose(row, tokenMayBeSpent && kind === "invalid_grant" ? "rotation_lost" : error.error === "invalid_scope" ? "consent_withdrawn" : /stale/i.test(description) ? "stale" : "ended_at_keycloak");
}

/** The token is kept: Keycloak honours it again once the owner is enabled. */
async function suspend(row: GrantRow): Promise<SluiceError> {
  await transaction(async (tx) => {
    const { count } = await tx.ownerGrant.updateMany({ where: { userId: row.userId, generation: row.generation, status: "active" }, data: { status: "owner_disabled", statusReason: "owner_disabled" } });
    if (count === 1) await recordAudit(tx, grantsContext(), { action: "grant.suspended", target: { type: "user", id: row.userId }, tenantId: row.tenantId });
  });
  await dropAccess(row.userId, row.generation);
  await backOff(row.userId, { kind: "disabled", ms: disabledMs });
  return ownerDisabled();
}

/** Keycloak will never honour this token again, so nothing of it stays. */
async function lose(row: GrantRow, reason: string): Promise<SluiceError> {
  const generation = row.generation + 1;
  const lost = await transaction(async (tx) => {
    const { count } = await tx.ownerGrant.updateMany({ where: { userId: row.userId, generation: row.generation }, data: { status: "needs_reauth", statusReason: reason, sealed: "", generation, idleDeadlineAt: null, absDeadlineAt: null } });
    if (count === 1) {
      const about = { target: { type: "user", id: row.userId }, tenantId: row.tenantId, data: { reason } };
      // What became of the grant, and what its owner is to do about it.
      await recordAudit(tx, grantsContext(), { action: "grant.lost", ...about });
      await recordAudit(tx, grantsContext(), { action: "owner.reauth_required", ...about });
    }
    return count === 1;
  });
  if (!lost) return changed(await findGrantRow(row.userId));
  await dropAccess(row.userId, generation);
  logger.info({ userId: row.userId, reason }, "a grant is lost: its owner has to give machine access again");
  return ownerReauthRequired();
}

/** A changed role or tenant reaches every key with the refresh. The token is safe by now, so failing here is only told. */
async function learn(row: GrantRow, access: OwnerAccess): Promise<void> {
  try {
    const claims = await verifyKeycloakToken(access.accessToken);
    if (claims.sub === row.sub) {
      await rememberPerson(identityOf(claims));
      return;
    }
    const current = await findGrantRow(row.userId);
    throw current?.generation === access.generation ? await lose(current, "subject_changed") : ownerReauthRequired();
  } catch (error) {
    if (isSluiceError(error, "owner_reauth_required")) throw error;
    logger.error({ err: error, userId: row.userId }, "what a refreshed token says of its owner was not taken over");
  }
}
