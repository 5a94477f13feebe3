import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { pool } from "@/lib/platform/db";
import { accountOf, ensureAccount } from "./account";

/** Credits: what can be spent now, and what is held for calls under way. */
export type Balance = { available: number; held: number };

/** The balance of the account that the caller's calls draw from. @throws SluiceError `insufficient_permission` */
export async function getBalance(ctx: Context): Promise<Balance> {
  requirePermission(ctx, "credits:read");
  return getPersonBalance(requirePerson(ctx));
}

/** The same for a verb that has asked for its own permission already. */
export async function getPersonBalance(person: { userId: string; tenantId: string }): Promise<Balance> {
  const found = await readBalance(person);
  if (found) return found;
  await ensureAccount(await accountOf(person));
  return (await readBalance(person)) ?? { available: 0, held: 0 };
}

const ofPayer = `SELECT a.available, a.held FROM "Tenant" t JOIN "CreditAccount" a ON a.kind = t."creditMode"::text::"AccountKind" AND a."ownerId" = CASE t."creditMode" WHEN 'tenant' THEN t.id ELSE $2::uuid END WHERE t.id = $1`;

async function readBalance({ tenantId, userId }: { userId: string; tenantId: string }): Promise<Balance | undefined> {
  return (await pool().query<Balance>({ name: "balance", text: ofPayer, values: [tenantId, userId] })).rows[0];
}
