import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { db, transaction, type Tx } from "@/lib/platform/db";
import { confirmInvalidation, invalidate, planInvalidation } from "@/lib/platform/records";
import { noSuchKey, ownKey, ownKeys } from "./get-key";
import { staleKeyRecords } from "./key-records";
import { keyFields, viewOf } from "./key-view";
import type { ApiKeyView } from "./schemas";

/**
 * Revokes one of the caller's keys for good, with `cascade` also the keys that it created, and theirs. When this
 * returns, no replica admits them. Repeating it changes nothing and promises the same.
 *
 * @throws SluiceError `not_found`; `store_unavailable` when Redis does not confirm: the keys are revoked in the
 *   database, and the outbox carries it to the checks.
 */
export async function revokeKey(ctx: Context, id: string, options: { cascade?: boolean; reason?: string } = {}): Promise<ApiKeyView> {
  requirePermission(ctx, "api-keys:manage");
  await revoke(ctx, [ownKey(ctx, id).id], options);
  const key = await db().apiKey.findFirst({ where: ownKey(ctx, id), select: keyFields });
  if (!key) throw noSuchKey();
  return viewOf(key);
}

/** Several of the caller's keys in one transaction: all or none. @throws SluiceError as `revokeKey` */
export async function revokeKeys(ctx: Context, ids: string[], options: { reason?: string } = {}): Promise<void> {
  requirePermission(ctx, "api-keys:manage");
  await revoke(ctx, [...new Set(ids.map((id) => ownKey(ctx, id).id))], options);
}

async function revoke(ctx: Context, ids: string[], { cascade = false, reason }: { cascade?: boolean; reason?: string }): Promise<void> {
  const own = ownKeys(ctx);
  const { pending, before } = await transaction(async (tx) => {
    const all = await lockFamily(tx, own, ids, cascade);
    const keys = await tx.apiKey.findMany({ where: { id: { in: all }, ...own }, select: { id: true, secretHash: true, version: true, revokedAt: true, name: true } });
    if (ids.some((id) => !keys.some((key) => key.id === id))) throw noSuchKey();

    const alive = keys.filter((key) => !key.revokedAt);
    await tx.apiKey.updateMany({ where: { id: { in: alive.map((key) => key.id) }, ...own }, data: { revokedAt: nowDate(), revokedReason: reason ?? null, version: { increment: 1 } } });
    for (const key of alive) {
      await recordAudit(tx, ctx, { action: "key.revoked", target: { type: "apiKey", id: key.id }, data: { name: key.name, ...(reason && { reason }), ...(!ids.includes(key.id) && { createdByRevokedKey: true }) } });
    }
    const stale = alive.flatMap((key) => staleKeyRecords({ ...key, version: key.version + 1 }));
    return { pending: stale.length > 0 ? await planInvalidation(tx, stale) : null, before: keys.filter((key) => key.revokedAt) };
  });
  if (pending) await confirmInvalidation(pending);
  // Somebody revoked these earlier, and perhaps got no confirmation: this answer promises it again.
  if (before.length > 0) await invalidate(before.flatMap(staleKeyRecords));
}

/** Locks the keys and, with `cascade`, all that descend from them, looking again until nothing new has come in between. */
async function lockFamily(tx: Tx, own: { tenantId: string; userId: string }, ids: string[], cascade: boolean): Promise<string[]> {
  for (let known = ids; ; ) {
    await lockKeys(tx, known);
    const found = cascade ? await withDescendants(tx, own, ids) : known;
    if (found.length <= known.length) return known;
    known = found;
  }
}

async function withDescendants(tx: Tx, own: { tenantId: string; userId: string }, ids: string[]): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE family AS (
      SELECT id FROM "ApiKey" WHERE id = ANY(${ids}::uuid[]) AND "tenantId" = ${own.tenantId}::uuid AND "userId" = ${own.userId}::uuid
      UNION
      SELECT k.id FROM "ApiKey" k JOIN family f ON k."createdByType" = 'apiKey' AND k."createdById" = f.id::text
      WHERE k."tenantId" = ${own.tenantId}::uuid AND k."userId" = ${own.userId}::uuid)
    SELECT id FROM family`;
  return rows.map((row) => row.id);
}

/** In the order of ids, as the usage fold does, so that two who lock several keys cannot wait for one another. */
export async function lockKeys(tx: Tx, ids: string[]): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "ApiKey" WHERE id = ANY(${ids}::uuid[]) ORDER BY id FOR UPDATE`;
}
