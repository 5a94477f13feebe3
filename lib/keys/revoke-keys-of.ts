import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { repeatedWithinSeconds, type StaleRecord } from "@/lib/platform/records";
import { staleKeyRecords } from "./key-records";
import { lockOwner } from "./policy";
import { lockKeys } from "./revoke-key";

/**
 * Revokes every live key of a person for good, in whichever tenant, as part of a verb that has asked for its own permission. What such
 * a key made for other people stays. Repeating it changes nothing and promises the same.
 * @returns how many, and what the caller must have dropped once the transaction is over
 */
export async function revokeKeysOf(tx: Tx, ctx: Context, userId: string, reason: string): Promise<{ count: number; stale: StaleRecord[] }> {
  const lockLiving = async () => lockKeys(tx, (await tx.apiKey.findMany({ where: { userId, revokedAt: null }, select: { id: true } })).map((key) => key.id));
  await lockLiving();
  await lockOwner(tx, userId);
  // Some may have come in before the lock was ours; none does any more.
  await lockLiving();
  const recently = new Date(now() - repeatedWithinSeconds * 1000);
  const all = await tx.apiKey.findMany({ where: { userId, OR: [{ revokedAt: null }, { revokedAt: { gt: recently } }] }, select: { id: true, tenantId: true, secretHash: true, version: true, name: true, revokedAt: true } });
  const keys = all.filter((key) => !key.revokedAt);
  await tx.apiKey.updateMany({ where: { id: { in: keys.map((key) => key.id) } }, data: { revokedAt: nowDate(), revokedReason: reason, version: { increment: 1 } } });
  for (const key of keys) await recordAudit(tx, ctx, { action: "key.revoked", target: { type: "apiKey", id: key.id }, tenantId: key.tenantId, data: { name: key.name, reason } });
  return { count: keys.length, stale: all.flatMap((key) => staleKeyRecords(key.revokedAt ? key : { ...key, version: key.version + 1 })) };
}
