import { pool } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";

export type AccountKind = "user" | "tenant";
export type Account = { kind: AccountKind; ownerId: string; tenantId: string };

/**
 * Makes a person's account, and their tenant's, at first need, with what the tenant's plan gives. One statement, so that two first
 * calls at once make one account and one pair of ledger rows.
 */
export async function ensureAccount(account: Account): Promise<void> {
  await pool().query(
    `WITH plan AS (SELECT p."monthlyCredits" AS amount FROM "Tenant" t JOIN "Plan" p ON p.id = t."planId" WHERE t.id = $3),
       made AS (INSERT INTO "CreditAccount" (kind, "ownerId", "tenantId", available) SELECT $1::"AccountKind", $2, $3, amount FROM plan ON CONFLICT DO NOTHING RETURNING available)
     INSERT INTO "LedgerEntry" (id, "transactionId", "accountKind", "accountId", "tenantId", amount, kind, reason, actor)
     SELECT r.id, $4, r.kind::"AccountKind", r.account, $3, r.sign * made.available, 'grant', 'plan', '{"type":"system","id":null}'::jsonb
     FROM made, (VALUES ($5::uuid, $1::text, $2::text, 1), ($6::uuid, 'system', 'issued', -1)) AS r(id, kind, account, sign) WHERE made.available > 0`,
    [account.kind, account.ownerId, account.tenantId, newId(), newId(), newId()],
  );
}

/** Whose account a person's calls draw from: their own, or their tenant's where it says so. */
export async function accountOf(person: { userId: string; tenantId: string }): Promise<Account> {
  const { rows } = await pool().query<{ creditMode: AccountKind }>({ name: "credit-mode", text: 'SELECT "creditMode" FROM "Tenant" WHERE id = $1', values: [person.tenantId] });
  const kind = rows[0]?.creditMode ?? "user";
  return { kind, ownerId: kind === "tenant" ? person.tenantId : person.userId, tenantId: person.tenantId };
}
