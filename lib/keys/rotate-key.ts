import { type Context, permissionMask, requireFreshFor, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import type { CreatedKey } from "./create-key";
import { keyIn, noSuchKey, ownKeys } from "./get-key";
import { staleKeyRecords } from "./key-records";
import { keyFields, outlivesGrant, overlapOf, statusOf, viewOf } from "./key-view";
import { findBounds, requireWholeWithinOwn } from "./policy";
import { lockKeys } from "./revoke-key";
import type { RotateKeyInput } from "./schemas";
import { newSecret } from "./secret";

/**
 * Gives one of the caller's keys a new secret. The key stays what it is, its limit and its past included; the old secret works
 * until the overlap ends, or until it was quiet for so long. Tokens that were obtained with it end when it does.
 *
 * @returns the key and its new secret, which exists only in this return value.
 * @throws SluiceError `not_found`; `conflict` while an overlap runs, and for a revoked or expired key; `permission_escalation` when a key
 *   or token that reaches less far would receive the secret; `step_up_required`; `store_unavailable`: then the key has its new secret, which nobody has seen, and the old one
 *   works until its overlap ends.
 */
export async function rotateKey(ctx: Context, anyId: string, input: RotateKeyInput): Promise<CreatedKey> {
  requirePermission(ctx, "api-keys:manage");
  const where = keyIn(ownKeys(ctx), anyId);
  const { id } = where;
  const secret = newSecret();
  const { key, pending } = await transaction(async (tx) => {
    await lockKeys(tx, [id]);
    const before = await tx.apiKey.findFirst({ where, select: { ...keyFields, secretHash: true, version: true, user: { select: { role: true } } } });
    if (!before) throw noSuchKey();
    if (before.revokedAt) throw new SluiceError("conflict", "This API key is revoked, and stays so.");
    if (statusOf(before) === "expired") throw new SluiceError("conflict", "This API key has expired. Give it a later expiry first.");
    const running = overlapOf(before);
    if (running) throw new SluiceError("conflict", `The secret before this one works until ${running.overlapEndsAt.toISOString()}. End that overlap first.`);
    requireWholeWithinOwn(ctx, await findBounds(tx, ctx), before, before.user.role);
    requireFreshFor(ctx, permissionMask(before.permissions));

    const overlapEndsAt = new Date(now() + input.overlapSeconds * 1000);
    await tx.earlierSecret.create({ data: { hash: before.secretHash, apiKeyId: id, tenantId: before.tenantId, rotatedAt: nowDate(), overlapEndsAt, endWhenQuietSeconds: input.endWhenQuietSeconds ?? null } });
    const after = await tx.apiKey.update({ where: { id }, data: { secretHash: secret.hash, start: secret.start, last4: secret.last4, secretSince: nowDate(), secretGeneration: { increment: 1 }, version: { increment: 1 } }, select: keyFields });
    await recordAudit(tx, ctx, { action: "key.rotated", target: { type: "apiKey", id }, data: { name: before.name, start: secret.start, overlapEndsAt: overlapEndsAt.toISOString(), ...(input.endWhenQuietSeconds && { endWhenQuietSeconds: input.endWhenQuietSeconds }) } });
    return { key: after, pending: await planInvalidation(tx, staleKeyRecords({ id, secretHash: before.secretHash, version: before.version + 1 })) };
  });
  await confirmInvalidation(pending);
  const message = outlivesGrant(key);
  return { key: viewOf(key), secret: secret.value, ...(message && { message }) };
}
