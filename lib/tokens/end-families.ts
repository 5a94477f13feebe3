import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { familyRecordKey } from "@/lib/keys";
import { now, nowDate } from "@/lib/platform/clock";
import { Prisma, type Tx } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { metrics } from "@/lib/platform/metrics";
import { confirmInvalidation, type PendingInvalidation, planInvalidation, repeatedWithinSeconds } from "@/lib/platform/records";

/** Ended families. `pending` is to be confirmed after the commit (`confirmEnded`); from then on no replica takes an access token of theirs. */
export type Ended = { familyIds: string[]; /** Those that ended a moment ago included. */ found: number; tenantId?: string; pending: PendingInvalidation[] };

/** One intention of the outbox holds at most so many records. */
const recordsMax = 5000;

/**
 * Ends those families that may still have a living token; all rows at once, in the order of ids, so that two who do it cannot wait for one another.
 * Those that ended a moment ago are to be confirmed again: who ended them may have had no confirmation, and says it again.
 */
export async function endFamilies(tx: Tx, which: { id?: string; userId: string; apiKeyId?: string; /** Later ones live. */ startedUntil?: Date | undefined }, reason: string): Promise<Ended> {
  const { id, userId, apiKeyId, startedUntil } = which;
  // An access token may outlive the last refresh token by its own life.
  const livingSince = new Date(now() - env().TOKEN_ACCESS_TTL_SECONDS * 1000);
  const recently = new Date(now() - repeatedWithinSeconds * 1000);
  const all = await tx.$queryRaw<{ id: string; tenantId: string; version: number; revokedAt: Date | null }[]>`
    SELECT id, "tenantId", version, "revokedAt" FROM "TokenFamily" WHERE "userId" = ${userId}::uuid AND ("revokedAt" IS NULL OR "revokedAt" > ${recently}) AND "expiresAt" > ${livingSince}
      ${id === undefined ? Prisma.empty : Prisma.sql`AND id = ${id}::uuid`} ${apiKeyId === undefined ? Prisma.empty : Prisma.sql`AND "apiKeyId" = ${apiKeyId}::uuid`}
      ${startedUntil === undefined ? Prisma.empty : Prisma.sql`AND "createdAt" <= ${startedUntil}`}
    ORDER BY id FOR UPDATE`;
  const families = all.filter((family) => !family.revokedAt);
  const familyIds = families.map((family) => family.id);
  if (familyIds.length > 0) await tx.$executeRaw`UPDATE "TokenFamily" SET "revokedAt" = ${nowDate()}, "revokedReason" = ${reason}, version = version + 1 WHERE id = ANY(${familyIds}::uuid[])`;
  const pending: PendingInvalidation[] = [];
  for (let from = 0; from < all.length; from += recordsMax) {
    pending.push(await planInvalidation(tx, all.slice(from, from + recordsMax).map(({ id, version, revokedAt }) => ({ key: familyRecordKey(id), version: revokedAt ? version : version + 1 }))));
  }
  metrics.tokenFamilies.cell({ event: reason === "reuse" ? "reused" : "revoked" }).count += families.length;
  return { familyIds, found: all.length, tenantId: families[0]?.tenantId, pending };
}

/** After the commit. @throws SluiceError `store_unavailable` when Redis does not confirm; the outbox then goes on. */
export async function confirmEnded({ pending }: Pick<Ended, "pending">): Promise<void> {
  for (const each of pending) await confirmInvalidation(each);
}

/**
 * Ends every token of a person's programs, in the transaction of whatever else happens to them; the caller has the permission. `confirmEnded` is due
 * after the commit. @returns how many sign-ins of programs ended
 */
export async function revokeTokensOf(tx: Tx, ctx: Context, userId: string, reason: string, options: { startedUntil?: Date | undefined } = {}): Promise<{ count: number } & Pick<Ended, "pending">> {
  const { familyIds, tenantId, pending } = await endFamilies(tx, { userId, ...options }, reason);
  const count = familyIds.length;
  if (count > 0) await recordAudit(tx, ctx, { action: "token.revoked", target: { type: "user", id: userId }, tenantId, data: { reason, count } });
  return { count, pending };
}
