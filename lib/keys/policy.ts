import { type Context, covers, permissionMask, permissionsOf, requirePerson } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { invalid, SluiceError } from "@/lib/platform/errors";
import { limitsOf } from "@/lib/tenants";

const dayMs = 86_400_000;

/** How many live keys a person of this tenant may have, and how long a key may live: the tenant's word, else its plan's, else the operator's. */
export async function keyPolicy(tx: Tx, tenantId: string): Promise<{ keysPerUser: number; lifetimeDays: number | undefined }> {
  const { keysPerUser, keyMaxLifetimeDays } = await limitsOf(tx, tenantId);
  return { keysPerUser, lifetimeDays: keyMaxLifetimeDays };
}

/** @throws SluiceError `validation_failed` for an expiry that lies behind us, or beyond what is allowed (no expiry included). */
export function requireExpiry(expiresAt: Date | null, from: { createdAtMs: number; lifetimeDays: number | undefined }): void {
  const pointer = "/expiresAt";
  if (expiresAt && expiresAt.getTime() <= now()) throw invalid([{ pointer, detail: "must lie in the future" }]);
  if (from.lifetimeDays === undefined) return;
  if (!expiresAt || expiresAt.getTime() > from.createdAtMs + from.lifetimeDays * dayMs) throw invalid([{ pointer, detail: `must be at most ${from.lifetimeDays} days after the key's creation` }]);
}

/** Nobody gives away what they do not hold; what a key or its owner's role lacks now counts as not held. @throws SluiceError `permission_escalation` */
export function requireHeld(ctx: Context, permissions: readonly string[]): void {
  if (covers(ctx.permissions, permissions)) return;
  const missing = permissionsOf(permissionMask(permissions) & ~ctx.permissions);
  throw new SluiceError("permission_escalation", `You do not hold ${missing.join(", ")}.`, { extra: { permissions: missing } });
}

/** A key cannot outlive the key that made or changed it, so that a leak ends when the leaked key does. @throws SluiceError `permission_escalation` */
export function requireWithinOwnExpiry(own: Date | null, wanted: Date | null): void {
  if (own && (!wanted || wanted > own)) throw new SluiceError("permission_escalation", `This key expires at ${own.toISOString()} and cannot give a later expiry.`);
}

type ActingKey = { permissions: string[]; expiresAt: Date | null; revokedAt: Date | null };

/**
 * The key that makes the call, if it is one. Its row is held until the transaction ends: a key that is being revoked
 * with all that it created cannot slip in one more.
 * @throws SluiceError `key_revoked`
 */
export async function findActingKey(tx: Tx, ctx: Context): Promise<ActingKey | null> {
  if (ctx.actor.type !== "apiKey") return null;
  const [key] = await tx.$queryRaw<ActingKey[]>`
    SELECT permissions, "expiresAt", "revokedAt" FROM "ApiKey" WHERE id = ${ctx.actor.apiKeyId}::uuid AND "tenantId" = ${ctx.tenantId}::uuid FOR SHARE`;
  if (!key || key.revokedAt) throw new SluiceError("key_revoked", "This API key was revoked.");
  return key;
}

/**
 * Makes sure that one more key may live. The lock is held to the end of the transaction, so that creations at once
 * cannot pass the limit together.
 * @throws SluiceError `key_limit_reached`
 */
export async function requireRoomForKey(tx: Tx, ctx: Context, keysPerUser: number): Promise<void> {
  const { userId } = requirePerson(ctx);
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`keys:${userId}`}, 0))`;
  const live = await tx.apiKey.count({ where: { tenantId: ctx.tenantId, userId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(now()) } }] } });
  if (live >= keysPerUser) throw new SluiceError("key_limit_reached", `You have ${live} API keys, and ${keysPerUser} is the most. Revoke one first.`);
}
