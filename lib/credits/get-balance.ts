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
  const account = await accountOf(person);
  const read = () => pool().query<Balance>('SELECT available, held FROM "CreditAccount" WHERE kind = $1::"AccountKind" AND "ownerId" = $2', [account.kind, account.ownerId]);
  const found = (await read()).rows[0];
  if (found) return found;
  await ensureAccount(account);
  return (await read()).rows[0] ?? { available: 0, held: 0 };
}
