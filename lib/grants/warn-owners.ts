import { z } from "zod";
import { recordAudit } from "@/lib/audit";
import { now, nowDate } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import type { JobType } from "@/lib/platform/queue";
import { deletedReason, grantsContext } from "./vault";

export const warnOwnersJob = { name: "grants.warn", payload: z.object({}) } satisfies JobType<z.ZodType>;

/** Days ahead of the absolute end, the nearest first. */
export const warningDays = [3, 14] as const;
const dayMs = 86_400_000;
const perRun = 200;
/** What is left of a lost grant is kept for this long. No process holds anything of it by then that it could still write. */
const keptDays = 90;

/**
 * Warns owners that their keys will soon not act for them any more (`owner.reauth_due`, once for each of 14 and 3 days), and clears away
 * what has been lost for long (`grant.purged`). Safe to run by several workers.
 */
export async function warnOwners(): Promise<{ warned: number; purged: number }> {
  let warned = 0;
  for (const days of warningDays) warned += await warn(days);
  return { warned, purged: await purge() };
}

async function warn(days: number): Promise<number> {
  return transaction(async (tx) => {
    const rows = await tx.$queryRaw<{ userId: string; tenantId: string; absDeadlineAt: Date }[]>`
      SELECT "userId", "tenantId", "absDeadlineAt" FROM "OwnerGrant"
      WHERE status = 'active' AND "absDeadlineAt" > ${nowDate()} AND "absDeadlineAt" <= ${new Date(now() + days * dayMs)} AND ("warnedDays" IS NULL OR "warnedDays" > ${days})
      ORDER BY "absDeadlineAt" LIMIT ${perRun} FOR UPDATE SKIP LOCKED`;
    for (const { userId, tenantId, absDeadlineAt } of rows) {
      await tx.ownerGrant.update({ where: { userId }, data: { warnedDays: days } });
      await recordAudit(tx, grantsContext(), { action: "owner.reauth_due", target: { type: "user", id: userId }, tenantId, data: { actsUntil: absDeadlineAt.toISOString(), daysAhead: days } });
    }
    return rows.length;
  });
}

async function purge(): Promise<number> {
  return transaction(async (tx) => {
    const rows = await tx.$queryRaw<{ userId: string; tenantId: string; statusReason: string | null }[]>`
      DELETE FROM "OwnerGrant" WHERE "userId" IN (
        SELECT "userId" FROM "OwnerGrant" WHERE status = 'needs_reauth' AND sealed = '' AND "updatedAt" < ${new Date(now() - keptDays * dayMs)} LIMIT ${perRun} FOR UPDATE SKIP LOCKED)
      RETURNING "userId", "tenantId", "statusReason"`;
    for (const { userId, tenantId, statusReason } of rows) {
      await recordAudit(tx, grantsContext(), { action: "grant.purged", target: { type: "user", id: userId }, tenantId, data: { reason: statusReason ?? deletedReason } });
    }
    return rows.length;
  });
}
