import { type Context, permissionMask, requireFreshFor, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import type { ApiKey } from "@/lib/generated/prisma/client";
import { nowDate } from "@/lib/platform/clock";
import { type Prisma, transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { anyKeys, keyIn, type KeyScope, noSuchKey, ownKeys } from "./get-key";
import { staleKeyRecords } from "./key-records";
import { keyFields, outlivesGrant, statusOf, viewOf } from "./key-view";
import { findBounds, keyPolicy, requireExpiry, requireHeld, requireRoomForKey, requireWholeWithinOwn, requireWithinOwn, widens } from "./policy";
import { lockKeys } from "./revoke-key";
import type { ApiKeyView, UpdateKeyInput } from "./schemas";

/**
 * Changes one of the caller's keys; a field left out stays, `null` clears. What the check must know is in force on every
 * replica when this returns.
 *
 * @throws SluiceError `not_found`, `conflict` for a revoked key, `permission_escalation`, `step_up_required`, `key_limit_reached` when an
 *   expired key would live again, `validation_failed`, or `store_unavailable`: then the change is stored, and reaches
 *   the checks as soon as Redis answers.
 */
export async function updateKey(ctx: Context, id: string, input: UpdateKeyInput): Promise<UpdatedKey> {
  requirePermission(ctx, "api-keys:manage");
  return updateIn(ctx, ownKeys(ctx), id, input);
}

/** The same for anybody's key, in administration. @throws SluiceError `insufficient_permission`, and as `updateKey` */
export async function updateAnyKey(ctx: Context, id: string, input: UpdateKeyInput): Promise<UpdatedKey> {
  return updateIn(ctx, anyKeys(ctx), id, input);
}

type UpdatedKey = { key: ApiKeyView; message?: string };

async function updateIn(ctx: Context, scope: KeyScope, anyId: string, input: UpdateKeyInput): Promise<UpdatedKey> {
  const where = keyIn(scope, anyId);
  const { id } = where;
  const { key, pending } = await transaction(async (tx) => {
    await lockKeys(tx, [id]);
    const before = await tx.apiKey.findFirst({ where, select: { ...keyFields, secretHash: true, version: true, user: { select: { role: true } } } });
    if (!before) throw noSuchKey();
    if (before.revokedAt) throw new SluiceError("conflict", "This API key is revoked, and stays so.");

    const acting = await findBounds(tx, ctx);
    const changes = changesOf(input, before.disabledAt);
    if (input.permissions) requireHeld(ctx, input.permissions);
    requireWithinOwn(acting, changes);
    const wanted = { ...before, ...changes };
    if (widens(before, wanted)) {
      requireWholeWithinOwn(ctx, acting, wanted, before.user.role);
      requireFreshFor(ctx, permissionMask(wanted.permissions));
    }
    if (input.expiresAt !== undefined) {
      const { keysPerUser, lifetimeDays } = await keyPolicy(tx, before.tenantId);
      requireExpiry(input.expiresAt, { createdAtMs: before.createdAt.getTime(), lifetimeDays });
      if (statusOf(before) === "expired") await requireRoomForKey(tx, before, keysPerUser);
    }

    const concernsCheck = Object.keys(changes).some((field) => field !== "name" && field !== "description");
    const after = await tx.apiKey.update({ where: { id }, data: { ...changes, ...(concernsCheck && { version: { increment: 1 } }) }, select: keyFields });
    await recordAudit(tx, ctx, { action: "key.updated", target: { type: "apiKey", id }, tenantId: before.tenantId, data: auditOf(input) });
    const stale = staleKeyRecords({ id, secretHash: before.secretHash, version: before.version + 1 });
    return { key: after, pending: concernsCheck ? await planInvalidation(tx, stale) : null };
  });
  if (pending) await confirmInvalidation(pending);
  const message = outlivesGrant(key);
  return { key: viewOf(key), ...(message && { message }) };
}

type Changes = Partial<Pick<ApiKey, "name" | "description" | "permissions" | "chatflowIds" | "allowedIps" | "rateRequests" | "rateWindow" | "expiresAt" | "disabledAt">>;

/** Only what is given. */
function changesOf(input: UpdateKeyInput, disabledAt: Date | null): Changes {
  return {
    ...(input.name !== undefined && { name: input.name }),
    ...(input.description !== undefined && { description: input.description }),
    ...(input.permissions && { permissions: input.permissions }),
    ...(input.chatflowIds !== undefined && { chatflowIds: input.chatflowIds ?? [] }),
    ...(input.allowedIps && { allowedIps: input.allowedIps }),
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
