import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { type Prisma, transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { noSuchKey, ownKey } from "./get-key";
import { staleKeyRecords } from "./key-records";
import { keyFields, outlivesGrant, statusOf, viewOf } from "./key-view";
import { findActingKey, keyPolicy, requireExpiry, requireHeld, requireRoomForKey, requireWithinOwnExpiry } from "./policy";
import { lockKeys } from "./revoke-key";
import type { ApiKeyView, UpdateKeyInput } from "./schemas";

/**
 * Changes one of the caller's keys; a field left out stays, `null` clears. What the check must know is in force on every
 * replica when this returns.
 *
 * @throws SluiceError `not_found`, `conflict` for a revoked key, `permission_escalation`, `key_limit_reached` when an
 *   expired key would live again, `validation_failed`, or `store_unavailable`: then the change is stored, and reaches
 *   the checks as soon as Redis answers.
 */
export async function updateKey(ctx: Context, id: string, input: UpdateKeyInput): Promise<{ key: ApiKeyView; message?: string }> {
  requirePermission(ctx, "api-keys:manage");
  const where = ownKey(ctx, id);
  const { key, pending } = await transaction(async (tx) => {
    await lockKeys(tx, [id]);
    const before = await tx.apiKey.findFirst({ where, select: { ...keyFields, secretHash: true, version: true } });
    if (!before) throw noSuchKey();
    if (before.revokedAt) throw new SluiceError("conflict", "This API key is revoked, and stays so.");

    if (input.permissions) requireHeld(ctx, input.permissions);
    if (input.expiresAt !== undefined) {
      const acting = await findActingKey(tx, ctx);
      requireWithinOwnExpiry(acting?.expiresAt ?? null, input.expiresAt);
      const { keysPerUser, lifetimeDays } = await keyPolicy(tx, ctx.tenantId);
      requireExpiry(input.expiresAt, { createdAtMs: before.createdAt.getTime(), lifetimeDays });
      if (statusOf(before) === "expired") await requireRoomForKey(tx, ctx, keysPerUser);
    }

    const concernsCheck = [input.permissions, input.rateLimit, input.expiresAt, input.isActive].some((value) => value !== undefined);
    const after = await tx.apiKey.update({ where: { id }, data: { ...changesOf(input, before.disabledAt), ...(concernsCheck && { version: { increment: 1 } }) }, select: keyFields });
    await recordAudit(tx, ctx, { action: "key.updated", target: { type: "apiKey", id }, data: auditOf(input) });
    const stale = staleKeyRecords({ id, secretHash: before.secretHash, version: before.version + 1 });
    return { key: after, pending: concernsCheck ? await planInvalidation(tx, stale) : null };
  });
  if (pending) await confirmInvalidation(pending);
  const message = outlivesGrant(key);
  return { key: viewOf(key), ...(message && { message }) };
}

function changesOf(input: UpdateKeyInput, disabledAt: Date | null): Prisma.ApiKeyUpdateInput {
  return {
    ...(input.name !== undefined && { name: input.name }),
    ...(input.description !== undefined && { description: input.description }),
    ...(input.permissions && { permissions: input.permissions }),
    ...(input.rateLimit && { rateRequests: input.rateLimit.requests, rateWindow: input.rateLimit.window }),
    ...(input.expiresAt !== undefined && { expiresAt: input.expiresAt }),
    ...(input.isActive !== undefined && { disabledAt: input.isActive ? null : (disabledAt ?? nowDate()) }),
  };
}

function auditOf(input: UpdateKeyInput): Prisma.InputJsonObject {
  const { expiresAt, ...rest } = input;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(expiresAt !== undefined && { expiresAt: expiresAt?.toISOString() ?? null }) };
}
