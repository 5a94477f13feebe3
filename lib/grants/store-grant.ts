import { decodeJwt } from "jose";
import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { keycloakClient, type KeycloakClient, keycloakClientOf, revokeToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { clearInflight, dropAccess } from "./token-cache";
import { deletedReason, findGrantRow, type GrantRow, grantsContext, lockGrant, openOfflineToken, sealOfflineToken } from "./vault";

/** An offline token as Keycloak just gave it, with the person whom its verified tokens name. */
export type NewGrant = {
  userId: string;
  tenantId: string;
  issuer: string;
  sub: string;
  client: KeycloakClient;
  refreshToken: string;
  /** ms; null when it does not end. */
  refreshExpiresAt: number | null;
  kcSid: string | null;
  /** Seconds of Keycloak's clock. */
  authTime?: number | null;
};

/**
 * Keeps an owner's offline token in place of the one before. The old one is revoked only if it belongs to another Keycloak
 * session: within one, revoking any token ends them all.
 * @throws SluiceError as the context's `refuseIfEnded`: nothing is kept then, and the token is revoked unless it shares its session with a grant that stays.
 * @param ctx who did it, for the audit event; without one it is ours (a sign-in by password has no context yet).
 */
export async function storeGrant(given: NewGrant, ctx: Context = grantsContext()): Promise<void> {
  const { old, generation } = await write(given, ctx).catch(async (error: unknown) => {
    if (isSluiceError(error, "session_expired", "invalid_credentials")) await revokeUnkept(given);
    throw error;
  });
  await dropAccess(given.userId, generation);
  await clearInflight(given.userId);
  if (old) await revokeOld(old, given);
}

async function write(given: NewGrant, ctx: Context): Promise<{ old: GrantRow | null; generation: number }> {
  return transaction(async (tx) => {
    await lockGrant(tx, given.userId);
    // Behind the lock, since an answer from before it is worth nothing: they may have been cut off while Keycloak answered.
    await ctx.refuseIfEnded?.();
    const issuedAt = issuedAtOf(given.refreshToken);
    const owner = await tx.user.findUnique({ where: { id: given.userId }, select: { signedOutBefore: true } });
    if (owner && issuedAt !== null && issuedAt <= owner.signedOutBefore) throw new SluiceError("invalid_credentials", "An admin signed this person out. Sign in again.");
    const old = await tx.ownerGrant.findUnique({ where: { userId: given.userId } });
    const generation = (old?.generation ?? 0) + 1;
    const salt = randomToken(32);
    // Within one session at Keycloak it is still the same offline session, whose absolute end does not move.
    const isSame = old !== null && old.sealed !== "" && old.kcSid !== null && old.kcSid === given.kcSid && old.clientId === keycloakClient(given.client).id;
    const data = {
      tenantId: given.tenantId, issuer: given.issuer, sub: given.sub, clientId: keycloakClient(given.client).id, kcSid: given.kcSid, salt,
      sealed: sealOfflineToken(given, salt, generation, given.refreshToken), generation, status: "active" as const, statusReason: null,
      givenAt: nowDate(), issuedAt, lastUsedAt: null, idleDeadlineAt: given.refreshExpiresAt === null ? null : new Date(given.refreshExpiresAt), absDeadlineAt: isSame ? old.absDeadlineAt : null, checkedAt: null, ...(!isSame && { warnedDays: null }),
    };
    if (old) await tx.ownerGrant.update({ where: { userId: given.userId }, data });
    else await tx.ownerGrant.create({ data: { userId: given.userId, ...data } });
    const renewed = old !== null && old.statusReason !== deletedReason;
    await recordAudit(tx, ctx, { action: renewed ? "grant.renewed" : "grant.given", target: { type: "user", id: given.userId }, tenantId: given.tenantId, data: { client: given.client } });
    return { old, generation };
  });
}

/** Seconds of Keycloak's clock; null for a token that cannot be read. */
function issuedAtOf(refreshToken: string): number | null {
  try {
    return decodeJwt(refreshToken).iat ?? null;
  } catch {
    return null;
  }
}

async function revokeUnkept(given: NewGrant): Promise<void> {
  const row = await findGrantRow(given.userId);
  if (row?.sealed && row.kcSid === given.kcSid) return;
  await revokeToken(given.client, given.refreshToken).catch((error: unknown) => logger.warn({ err: error, userId: given.userId }, "the token of a grant that was not kept was not revoked"));
}

async function revokeOld(old: GrantRow, given: NewGrant): Promise<void> {
  const refreshToken = openOfflineToken(old);
  const client = keycloakClientOf(old.clientId);
  if (!refreshToken || !client || !old.kcSid || !given.kcSid || old.kcSid === given.kcSid) return;
  await revokeToken(client, refreshToken).catch((error: unknown) => logger.warn({ err: error, userId: given.userId }, "the token of an earlier grant was not revoked; it ends when idle"));
}
