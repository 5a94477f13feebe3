import { actorRef, type Context, covers, permissionsOf, requirePermission, requirePerson } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { keyFields, outlivesGrant, viewOf } from "./key-view";
import { findActingKey, keyPolicy, requireExpiry, requireHeld, requireRoomForKey, requireWithinOwnExpiry } from "./policy";
import { type ApiKeyView, type CreateKeyInput, defaultPermissions } from "./schemas";
import { newSecret } from "./secret";

export type CreatedKey = { key: ApiKeyView; secret: string; message?: string };

/**
 * Creates an API key for the caller. A key may create keys too: what is left out is inherited from it, and permissions
 * and expiry stay within its own.
 *
 * @returns the key and its secret, which exists only in this return value; afterwards the database knows its SHA-256
 *   and a short hint. `message` when the key outlives the owner's grant.
 * @throws SluiceError `insufficient_permission`, `permission_escalation`, `key_limit_reached`, `validation_failed`
 */
export async function createKey(ctx: Context, input: CreateKeyInput): Promise<CreatedKey> {
  requirePermission(ctx, "api-keys:create");
  const { userId, tenantId } = requirePerson(ctx);
  const secret = newSecret();
  const id = newId();
  const creator = actorRef(ctx);

  const key = await transaction(async (tx) => {
    const parent = await findActingKey(tx, ctx);
    const permissions = input.permissions ?? (parent ? inherited(ctx, parent.permissions) : defaultPermissions);
    requireHeld(ctx, permissions);
    const expiresAt = expiryOf(input, parent?.expiresAt ?? null);
    requireWithinOwnExpiry(parent?.expiresAt ?? null, expiresAt);
    const { keysPerUser, lifetimeDays } = await keyPolicy(tx, tenantId);
    requireExpiry(expiresAt, { createdAtMs: now(), lifetimeDays });
    await requireRoomForKey(tx, ctx, keysPerUser);

    const created = await tx.apiKey.create({
      data: {
        id, tenantId, userId, name: input.name, description: input.description ?? null,
        secretHash: secret.hash, start: secret.start, last4: secret.last4,
        permissions, rateRequests: input.rateLimit.requests, rateWindow: input.rateLimit.window, expiresAt,
        createdByType: creator.type, createdById: creator.id,
      },
      select: keyFields,
    });
    await recordAudit(tx, ctx, {
      action: "key.created", target: { type: "apiKey", id },
      data: { name: input.name, start: secret.start, permissions, rateLimit: input.rateLimit, expiresAt: expiresAt?.toISOString() ?? null },
    });
    return created;
  });
  const message = outlivesGrant(key);
  return { key: viewOf(key), secret: secret.value, ...(message && { message }) };
}

/** The parent's own words where they still hold in full, else what is left of them (a smaller role, a narrower token). */
function inherited(ctx: Context, permissions: string[]): string[] {
  return covers(ctx.permissions, permissions) ? permissions : permissionsOf(ctx.permissions);
}

function expiryOf(input: CreateKeyInput, parentsEnd: Date | null): Date | null {
  if (input.expiresIn) return new Date(now() + input.expiresIn * 1000);
  return input.expiresAt ?? parentsEnd;
}
