import { type Context, jobContext, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { pool, transaction, type Tx } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { confirmInvalidation, type PendingInvalidation, planInvalidation, type StaleRecord } from "@/lib/platform/records";
import { foldUsage } from "@/lib/usage";
import { z } from "zod";
import { keyIn, noSuchKey, ownKeys, readKey } from "./get-key";
import { keyRecordByHash, keyRecordById } from "./key-records";
import { keyFields, overlapOf } from "./key-view";
import { lockKeys } from "./revoke-key";
import type { ApiKeyView } from "./schemas";

/**
 * Ends the overlap of a rotation now: from this answer on no replica admits the earlier secret. Without one it changes nothing, and promises the same.
 * @throws SluiceError `not_found`, `store_unavailable`
 */
export async function endRotation(ctx: Context, anyId: string): Promise<ApiKeyView> {
  requirePermission(ctx, "api-keys:manage");
  const where = keyIn(ownKeys(ctx), anyId);
  const pending = await transaction(async (tx) => {
    await lockKeys(tx, [where.id]);
    const key = await tx.apiKey.findFirst({ where, select: { ...keyFields, version: true } });
    if (!key) throw noSuchKey();
    const overlap = overlapOf(key);
    if (overlap) return endOverlap(tx, ctx, key, overlap.hash, "asked");
    // Somebody ended it earlier, and perhaps got no confirmation: this answer promises it again.
    const [latest] = key.earlierSecrets;
    return latest ? planInvalidation(tx, overlapRecords(key, latest.hash)) : null;
  });
  if (pending) await confirmInvalidation(pending);
  return readKey(where);
}

async function endOverlap(tx: Tx, ctx: Context, key: { id: string; tenantId: string; version: number; name: string }, hash: string, why: "asked" | "quiet"): Promise<PendingInvalidation> {
  await tx.earlierSecret.update({ where: { hash }, data: { overlapEndsAt: nowDate() } });
  // The pointer's floor is the key's version, so that a slow reader cannot write the old pointer back.
  await tx.apiKey.update({ where: { id: key.id }, data: { version: { increment: 1 } } });
  await recordAudit(tx, ctx, { action: "key.rotation_ended", target: { type: "apiKey", id: key.id }, tenantId: key.tenantId, data: { name: key.name, why } });
  return planInvalidation(tx, overlapRecords({ id: key.id, version: key.version + 1 }, hash));
}

/** The pointer for calls with the earlier secret, the key's record for those with tokens that were obtained with it. */
function overlapRecords(key: { id: string; version: number }, hash: string): StaleRecord[] {
  return [keyRecordByHash(hash), keyRecordById(key.id)].map((record) => ({ key: record, version: key.version }));
}

/** To run every second: a secret that was to end when quiet ends within seconds of it. */
export const endQuietOverlapsJob = { name: "keys.end-quiet-overlaps", payload: z.object({}) };

/** What the counters may lag behind, on top of the silence that was asked for. */
const marginSeconds = 1;
const quiet = `"endWhenQuietSeconds" IS NOT NULL AND "overlapEndsAt" > now() AND greatest("rotatedAt", "lastUsedAt") + make_interval(secs => "endWhenQuietSeconds" + ${marginSeconds}) < now()`;

/**
 * Ends the overlaps whose earlier secret was not used for as long as its owner had said. Usage is folded first, so that a worker that comes back
 * after a while does not take its own absence for silence; while Redis is away nothing ends.
 *
 * @returns how many ended. @throws SluiceError `store_unavailable`
 */
export async function endQuietOverlaps(): Promise<number> {
  const { rows: due } = await pool().query<{ hash: string; apiKeyId: string }>(`SELECT hash, "apiKeyId" FROM "EarlierSecret" WHERE ${quiet} LIMIT 500`);
  if (due.length === 0) return 0;
  await foldUsage();
  let ended = 0;
  for (const { hash, apiKeyId } of due) {
    const pending = await transaction(async (tx) => {
      await lockKeys(tx, [apiKeyId]);
      const still = await tx.$queryRawUnsafe<unknown[]>(`SELECT 1 FROM "EarlierSecret" WHERE hash = $1 AND ${quiet}`, hash);
      if (still.length === 0) return null;
      const key = await tx.apiKey.findUniqueOrThrow({ where: { id: apiKeyId }, select: { id: true, tenantId: true, version: true, name: true } });
      return endOverlap(tx, jobContext(endQuietOverlapsJob.name, newId()), key, hash, "quiet");
    });
    if (!pending) continue;
    await confirmInvalidation(pending);
    ended += 1;
  }
  return ended;
}
