import { type Context, hasPermission, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { transaction, type Tx } from "@/lib/platform/db";
import { confirmInvalidation, invalidate, planInvalidation } from "@/lib/platform/records";
import { anyKeys, keyIn, type KeyScope, noSuchKey, ownKeys, readKey } from "./get-key";
import { staleKeyRecords } from "./key-records";
import type { ApiKeyView } from "./schemas";

/**
 * Revokes one of the caller's keys for good, with `cascade` also the keys that it created, and theirs. When this
 * returns, no replica admits them. Repeating it changes nothing and promises the same.
 *
 * @returns the key; `message` when keys that it created for other people live on, because the caller is no administrator
 * @throws SluiceError `not_found`; `step_up_required` when other people's keys are to end and the proof of who is there is old; `store_unavailable` when Redis does not confirm: the keys are revoked in the
 *   database, and the outbox carries it to the checks.
 */
export async function revokeKey(ctx: Context, id: string, options: RevokeOptions = {}): Promise<RevokedKey> {
  requirePermission(ctx, "api-keys:manage");
  return revokeOne(ctx, ownKeys(ctx), id, options);
}

/** The same for anybody's key, in administration. @throws SluiceError `insufficient_permission`, and as `revokeKey` */
export async function revokeAnyKey(ctx: Context, id: string, options: RevokeOptions = {}): Promise<RevokedKey> {
  return revokeOne(ctx, anyKeys(ctx), id, options);
}

/** Several of the caller's keys in one transaction: all or none. @throws SluiceError as `revokeKey` */
export async function revokeKeys(ctx: Context, ids: string[], options: { reason?: string } = {}): Promise<void> {
  requirePermission(ctx, "api-keys:manage");
  await revoke(ctx, ownKeys(ctx), [...new Set(ids.map((id) => keyIn({}, id).id))], options);
}

type RevokeOptions = { cascade?: boolean; reason?: string };
type RevokedKey = { key: ApiKeyView; message?: string };

async function revokeOne(ctx: Context, scope: KeyScope, id: string, options: RevokeOptions): Promise<RevokedKey> {
  const where = keyIn(scope, id);
  const left = await revoke(ctx, scope, [where.id], options);
  const message = left === 1 ? "1 key that it created for somebody else lives on. An administrator can revoke it." : `${left} keys that it created for other people live on. An administrator can revoke them.`;
  return { key: await readKey(where), ...(left > 0 && { message }) };
}

/** @returns how many keys that these created live on, out of the caller's reach */
async function revoke(ctx: Context, scope: KeyScope, ids: string[], { cascade = false, reason }: RevokeOptions): Promise<number> {
  // What a key made for other people, an administrator's key may have, ends with it only if an administrator says so.
  const reach = hasPermission(ctx, "admin:keys") ? {} : scope;
  const { pending, before, left } = await transaction(async (tx) => {
    const all = await lockFamily(tx, reach, ids, cascade);
    const keys = await tx.apiKey.findMany({ where: { id: { in: all }, ...reach }, select: { id: true, tenantId: true, userId: true, secretHash: true, version: true, revokedAt: true, name: true } });
    if (ids.some((id) => !keys.some((key) => key.id === id && isIn(scope, key)))) throw noSuchKey();

    const alive = keys.filter((key) => !key.revokedAt);
    // Here an administrator acts on other people's keys at an address that is about one's own, where no door has asked.
    if (alive.some((key) => !isIn(scope, key))) ctx.requireFresh?.();
    await tx.apiKey.updateMany({ where: { id: { in: alive.map((key) => key.id) } }, data: { revokedAt: nowDate(), revokedReason: reason ?? null, version: { increment: 1 } } });
    for (const key of alive) {
      await recordAudit(tx, ctx, { action: "key.revoked", target: { type: "apiKey", id: key.id }, tenantId: key.tenantId, data: { name: key.name, ...(reason && { reason }), ...(!ids.includes(key.id) && { createdByRevokedKey: true }) } });
    }
    const stale = alive.flatMap((key) => staleKeyRecords({ ...key, version: key.version + 1 }));
    return { pending: stale.length > 0 ? await planInvalidation(tx, stale) : null, before: keys.filter((key) => key.revokedAt), left: cascade ? await countLeft(tx, ids, all) : 0 };
  });
  if (pending) await confirmInvalidation(pending);
  // Somebody revoked these earlier, and perhaps got no confirmation: this answer promises it again.
  if (before.length > 0) await invalidate(before.flatMap(staleKeyRecords));
  return left;
}

async function countLeft(tx: Tx, ids: string[], revoked: string[]): Promise<number> {
  const others = (await withDescendants(tx, {}, ids)).filter((id) => !revoked.includes(id));
  return others.length === 0 ? 0 : tx.apiKey.count({ where: { id: { in: others }, revokedAt: null } });
}

function isIn(scope: KeyScope, key: { tenantId: string; userId: string }): boolean {
  return (scope.tenantId === undefined || scope.tenantId === key.tenantId) && (scope.userId === undefined || scope.userId === key.userId);
}

/** Locks the keys and, with `cascade`, all that descend from them, looking again until nothing new has come in between. */
async function lockFamily(tx: Tx, scope: KeyScope, ids: string[], cascade: boolean): Promise<string[]> {
  for (let known = ids; ; ) {
    await lockKeys(tx, known);
    const found = cascade ? await withDescendants(tx, scope, ids) : known;
    if (found.length <= known.length) return known;
    known = found;
  }
}

async function withDescendants(tx: Tx, { tenantId = null, userId = null }: { tenantId?: string | null; userId?: string | null }, ids: string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE family AS (
      SELECT id FROM "ApiKey" WHERE id = ANY(${ids}::uuid[])
      UNION
      SELECT k.id FROM "ApiKey" k JOIN family f ON k."createdByType" = 'apiKey' AND k."createdById" = f.id::text
      WHERE (${tenantId}::uuid IS NULL OR k."tenantId" = ${tenantId}::uuid) AND (${userId}::uuid IS NULL OR k."userId" = ${userId}::uuid))
    SELECT id FROM family`;
  return rows.map((row) => row.id);
}

/** In the order of ids, as the usage fold does, so that two who lock several keys cannot wait for one another. */
export async function lockKeys(tx: Tx, ids: string[]): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "ApiKey" WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR UPDATE`;
}
