import { actorRef, type Context, covers, permissionMask, permissionsOf, requireFreshFor, requirePermission, requirePerson } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import { transaction, type Tx } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { grantOf, keyFields, outlivesGrant, viewOf } from "./key-view";
import { type Bounds, findBounds, type KeyOwner, keyPolicy, lockAsMaker, type Reach, requireExpiry, requireHeld, requireRoomForKey, requireStillThere, requireWithinOwn } from "./policy";
import { type ApiKeyView, type CreateKeyInput, defaultPermissions, defaultRateLimit } from "./schemas";
import { newSecret } from "./secret";

export type CreatedKey = { key: ApiKeyView; secret: string; message?: string };
/** `grant`: whether the engines can be called in the owner's name. */
export type CreatedKeyFor = CreatedKey & { grant: "missing" | "active" };

/**
 * Creates an API key for the caller. A key may create keys too: what is left out is inherited from it, and permissions, chatflows, addresses,
 * expiry and rate limit stay within its own, or within those of the token that was sent.
 *
 * @returns the key and its secret, which exists only in this return value; afterwards the database knows its SHA-256
 *   and a short hint. `message` when the key outlives the owner's grant.
 * @throws SluiceError `insufficient_permission`, `permission_escalation`, `step_up_required`, `key_limit_reached`, `validation_failed`; `session_expired`,
 *   `invalid_credentials`, `key_revoked` or `owner_disabled` when the caller was cut off since the door let them in
 */
export async function createKey(ctx: Context, input: CreateKeyInput): Promise<CreatedKey> {
  requirePermission(ctx, "api-keys:create");
  return createKeyFor(ctx, requirePerson(ctx), input);
}

/**
 * The same for whomever `owner` names; the caller has asked whether that is allowed.
 * @param first asked at the start of the transaction: what must hold of the tenant until it is committed
 */
export async function createKeyFor(ctx: Context, owner: KeyOwner, input: CreateKeyInput, first?: (tx: Tx) => Promise<void>): Promise<CreatedKeyFor> {
  const { userId, tenantId } = owner;
  const secret = newSecret();
  const id = newId();
  const creator = actorRef(ctx);

  const key = await transaction(async (tx) => {
    await first?.(tx);
    const parent = await findBounds(tx, ctx);
    const { permissions, ...bounds } = reachOf(ctx, input, parent);
    requireHeld(ctx, permissions);
    requireFreshFor(ctx, permissionMask(permissions));
    requireWithinOwn(parent, bounds);
    const { keysPerUser, lifetimeDays } = await keyPolicy(tx, tenantId);
    requireExpiry(bounds.expiresAt, { createdAtMs: now(), lifetimeDays, pointer: input.expiresIn ? "/expiresIn" : undefined });
    await requireRoomForKey(tx, owner, keysPerUser);
    await lockAsMaker(tx, ctx);
    await requireStillThere(tx, ctx);

    const created = await tx.apiKey.create({
      data: {
        id, tenantId, userId, name: input.name, description: input.description ?? null,
        secretHash: secret.hash, start: secret.start, last4: secret.last4, secretSince: nowDate(),
        permissions, ...bounds,
        createdByType: creator.type, createdById: creator.id,
      },
      select: keyFields,
    });
    await recordAudit(tx, ctx, {
      action: "key.created", target: { type: "apiKey", id }, tenantId,
      data: { name: input.name, start: secret.start, permissions, rateLimit: { requests: bounds.rateRequests, window: bounds.rateWindow }, expiresAt: bounds.expiresAt?.toISOString() ?? null, chatflowIds: bounds.chatflowIds, allowedIps: bounds.allowedIps, ownerId: userId },
    });
    return created;
  });
  const message = outlivesGrant(key);
  return { key: viewOf(key), secret: secret.value, grant: grantOf(key), ...(message && { message }) };
}

function reachOf(ctx: Context, input: CreateKeyInput, parent: Bounds | null): Reach {
  return {
    permissions: input.permissions ?? (parent?.permissions ? inherited(ctx, parent.permissions) : defaultPermissions),
    chatflowIds: input.chatflowIds === undefined ? (parent?.chatflowIds ?? []) : (input.chatflowIds ?? []),
    allowedIps: input.allowedIps ?? parent?.allowedIps ?? [],
    expiresAt: expiryOf(input, parent?.expiresAt ?? null),
    ...rateFor(input.rateLimit, parent),
  };
}

/** What is asked for, else that of the key which creates, else the default. */
export function rateFor(wanted: { requests: number; window: number } | undefined, parent: Bounds | null): Pick<Reach, "rateRequests" | "rateWindow"> {
  const { rateRequests = defaultRateLimit.requests, rateWindow = defaultRateLimit.window } = parent ?? {};
  return { rateRequests: wanted?.requests ?? rateRequests, rateWindow: wanted?.window ?? rateWindow };
}

/** The parent's own words where they still hold in full, else what is left of them (a smaller role, a narrower token). */
function inherited(ctx: Context, permissions: string[]): string[] {
  return covers(ctx.permissions, permissions) ? permissions : permissionsOf(ctx.permissions);
}

function expiryOf(input: CreateKeyInput, parentsEnd: Date | null): Date | null {
  if (input.expiresIn) return new Date(now() + input.expiresIn * 1000);
  return input.expiresAt === undefined ? parentsEnd : input.expiresAt;
}
