import type { CallTrace, Context, Person } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { familyRecordKey, newSecret } from "@/lib/keys";
import { now, nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { newId } from "@/lib/platform/ids";
import { type PendingInvalidation, planInvalidation } from "@/lib/platform/records";

/** Where a sign-in came from; kept for audit. */
export type Caller = { requestId: string; ip: string | null; userAgent: string | null; call?: CallTrace };

/** Refresh tokens look like our keys (256 random bits, a checksum), so that the same scanners find them; stored as SHA-256 only. */
export const refreshPrefix = "srt";

/** A new refresh token in a family, which lives as long as its newest one. */
export async function addRefreshToken(tx: Tx, familyId: string, caller: Caller): Promise<string> {
  const secret = newSecret(refreshPrefix);
  const expiresAt = new Date(now() + env().TOKEN_REFRESH_TTL_SECONDS * 1000);
  await tx.refreshToken.create({ data: { id: newId(), familyId, hash: secret.hash, createdAt: nowDate(), expiresAt, ip: caller.ip, userAgent: caller.userAgent?.slice(0, 400) ?? null } });
  await tx.tokenFamily.update({ where: { id: familyId }, data: { expiresAt } });
  return secret.value;
}

/** Starts a family: one sign-in by a program. */
export async function addFamily(tx: Tx, family: { id: string; person: Person; apiKeyId: string | null; secretGeneration?: number | undefined; permissions: string[] }, caller: Caller): Promise<string> {
  const { id, person, apiKeyId, secretGeneration = null, permissions } = family;
  await tx.tokenFamily.create({
    data: { id, tenantId: person.tenantId, userId: person.userId, apiKeyId, secretGeneration, permissions, ip: caller.ip, userAgent: caller.userAgent?.slice(0, 400) ?? null, createdAt: nowDate(), expiresAt: nowDate() },
  });
  return addRefreshToken(tx, id, caller);
}

/** Ends a family and all its tokens. To be confirmed after the commit, with the access tokens dead from then on. */
export async function revokeFamily(tx: Tx, ctx: Context, family: { id: string; version: number }, reason: "reuse"): Promise<PendingInvalidation> {
  await tx.tokenFamily.update({ where: { id: family.id }, data: { revokedAt: nowDate(), revokedReason: reason, version: { increment: 1 } } });
  await recordAudit(tx, ctx, { action: "token.reuse_detected", target: { type: "tokenFamily", id: family.id }, data: { reason } });
  return planInvalidation(tx, [{ key: familyRecordKey(family.id), version: family.version + 1 }]);
}

/** Who acts when a family's tokens are made or used: the key, or the person. */
export function familyContext(family: { id: string; apiKeyId: string | null }, person: Person, caller: Caller): Context {
  return {
    ...caller,
    tenantId: person.tenantId,
    permissions: 0,
    actor: family.apiKeyId
      ? { type: "apiKey", apiKeyId: family.apiKeyId, person, rateLimit: { requests: 1, window: 1 }, familyId: family.id }
      : { type: "user", person, credential: { kind: "gateway", familyId: family.id } },
  };
}
