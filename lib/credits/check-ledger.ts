import { pool } from "@/lib/platform/db";

/**
 * Holds balances against the ledger: every transaction sums to zero, and every account is what its rows add up to,
 * and no call that was answered had its credits given back.
 * @returns what disagrees, in words; an empty list when nothing does.
 */
export async function checkLedger(tenantId: string): Promise<string[]> {
  const uneven = await pool().query<{ transactionId: string; sum: string }>('SELECT "transactionId", sum(amount) FROM "LedgerEntry" WHERE "tenantId" = $1 GROUP BY "transactionId" HAVING sum(amount) <> 0', [tenantId]);
  const wrong = await pool().query<{ ownerId: string; available: number; booked: number; held: number; open: number }>(
    `SELECT a."ownerId", a.available, coalesce(l.sum, 0)::int AS booked, a.held, coalesce(h.sum, 0)::int AS open FROM "CreditAccount" a
     LEFT JOIN LATERAL (SELECT sum(amount) FROM "LedgerEntry" WHERE "accountKind" = a.kind AND "accountId" = a."ownerId"::text) l ON true
     LEFT JOIN LATERAL (SELECT sum(amount) FROM "CreditHold" WHERE "accountKind" = a.kind AND "ownerId" = a."ownerId" AND state = 'held') h ON true
     WHERE a."tenantId" = $1 AND (a.available <> coalesce(l.sum, 0) OR a.held <> coalesce(h.sum, 0))`, [tenantId]);
  const uncharged = await pool().query<{ id: string; requestId: string; amount: number }>('SELECT id, "requestId", amount FROM "CreditHold" WHERE "tenantId" = $1 AND "answeredAt" IS NOT NULL ORDER BY "createdAt"', [tenantId]);
  return [
    ...uneven.rows.map((row) => `transaction ${row.transactionId} sums to ${row.sum}`),
    ...wrong.rows.map((row) => `account ${row.ownerId}: ${row.available} available but ${row.booked} booked, ${row.held} held but ${row.open} in open holds`),
    ...uncharged.rows.map((row) => `hold ${row.id}: request ${row.requestId} was answered, but its ${row.amount} held were released`),
  ];
}
