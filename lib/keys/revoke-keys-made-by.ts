import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { repeatedWithinSeconds, type StaleRecord } from "@/lib/platform/records";
import { staleKeyRecords } from "./key-records";
import { lockMaker } from "./policy";
import { lockKeys } from "./revoke-key";

/**
 * Revokes every live key of other people that a person made, by hand or with a key of theirs, and what those keys made in turn. Part of a
 * verb that has asked for its own permission, and that has ended what the person acts by: creations under way are waited for, and none
 * begins that could still succeed.
 *
 * @returns how many, and what the caller must have dropped once the transaction is over
 */
export async function revokeKeysMadeBy(tx: Tx, ctx: Context, userId: string, reason: string): Promise<{ count: number; stale: StaleRecord[] }> {
  await lockMaker(tx, userId);
  await lockKeys(tx, await findMadeBy(tx, userId));
  // A key that was locked by another creation may have made one more meanwhile.
  const ids = await findMadeBy(tx, userId);
  await lockKeys(tx, ids);
  const all = await tx.apiKey.findMany({ where: { id: { in: ids } }, select: { id: true, tenantId: true, userId: true, secretHash: true, version: true, name: true, revokedAt: true } });
  const keys = all.filter((key) => !key.revokedAt);
  await tx.apiKey.updateMany({ where: { id: { in: keys.map((key) => key.id) } }, data: { revokedAt: nowDate(), revokedReason: reason, version: { increment: 1 } } });
  for (const key of keys) await recordAudit(tx, ctx, { action: "key.revoked", target: { type: "apiKey", id: key.id }, tenantId: key.tenantId, data: { name: key.name, reason, madeBy: userId, ownerId: key.userId } });
  return { count: keys.length, stale: all.flatMap((key) => staleKeyRecords(key.revokedAt ? key : { ...key, version: key.version + 1 })) };
}

/** Keys of others whose line of makers leads to this person: the live ones, and those that ended so recently that their copies may not have been dropped. */
async function findMadeBy(tx: Tx, userId: string): Promise<string[]> {
  const recently = new Date(now() - repeatedWithinSeconds * 1000);
  const rows = await tx.$queryRaw<{ id: string }[]>`
    WITH RECURSIVE made AS (
      SELECT id, "userId" FROM "ApiKey" WHERE "createdByType" = 'user' AND "createdById" = ${userId}
      UNION SELECT id, "userId" FROM "ApiKey" WHERE "userId" = ${userId}::uuid
      UNION SELECT k.id, k."userId" FROM "ApiKey" k JOIN made m ON k."createdByType" = 'apiKey' AND k."createdById" = m.id::text)
    SELECT made.id FROM made JOIN "ApiKey" k ON k.id = made.id WHERE made."userId" <> ${userId}::uuid AND (k."revokedAt" IS NULL OR k."revokedAt" > ${recently})`;
  return rows.map((row) => row.id);
}
