import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import type { StaleRecord } from "@/lib/platform/records";
import { staleKeyRecords } from "./key-records";
import { lockKeys } from "./revoke-key";

/**
 * Revokes every live key of a person for good, in whichever tenant, as part of a verb that has asked for its own permission. What such
 * a key made for other people stays.
 * @returns how many, and what the caller must have dropped once the transaction is over
 */
export async function revokeKeysOf(tx: Tx, ctx: Context, userId: string, reason: string): Promise<{ count: number; stale: StaleRecord[] }> {
  await lockKeys(tx, (await tx.apiKey.findMany({ where: { userId, revokedAt: null }, select: { id: true } })).map((key) => key.id));
  const keys = await tx.apiKey.findMany({ where: { userId, revokedAt: null }, select: { id: true, tenantId: true, secretHash: true, version: true, name: true } });
  await tx.apiKey.updateMany({ where: { id: { in: keys.map((key) => key.id) } }, data: { revokedAt: nowDate(), revokedReason: reason, version: { increment: 1 } } });
  for (const key of keys) await recordAudit(tx, ctx, { action: "key.revoked", target: { type: "apiKey", id: key.id }, tenantId: key.tenantId, data: { name: key.name, reason } });
  return { count: keys.length, stale: keys.flatMap((key) => staleKeyRecords({ ...key, version: key.version + 1 })) };
}
