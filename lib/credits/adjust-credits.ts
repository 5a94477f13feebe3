import { actorRef, type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { findTenantId, getPerson } from "@/lib/tenants";
import { type Account, ensureAccount } from "./account";
import type { AccountView, AdjustCreditsInput } from "./schemas";

/** Credits an account can have, held ones included: what its columns can count, with room to spare. */
const balanceMax = 2_000_000_000;

/**
 * Grants credits to a person of any tenant, or takes some back.
 *
 * @throws SluiceError `insufficient_permission`, `not_found`, `conflict` when more would be taken than is available, or an account hold
 *   more than it can.
 */
export async function adjustCredits(ctx: Context, userId: string, input: AdjustCreditsInput): Promise<AccountView> {
  requirePermission(ctx, "admin:credits");
  const person = await getPerson(userId);
  return adjust(ctx, { kind: "user", ownerId: person.id, tenantId: person.tenantId }, input);
}

/** The same for a tenant's own account, from which its people's calls draw where its `creditMode` says so. @throws as `adjustCredits` */
export async function adjustTenantCredits(ctx: Context, tenantId: string, input: AdjustCreditsInput): Promise<AccountView> {
  requirePermission(ctx, "admin:credits");
  const id = await findTenantId(tenantId);
  return adjust(ctx, { kind: "tenant", ownerId: id, tenantId: id }, input);
}

async function adjust(ctx: Context, account: Account, input: AdjustCreditsInput): Promise<AccountView> {
  await ensureAccount(account);
  const { kind, ownerId, tenantId } = account;
  return transaction(async (tx) => {
    // What is held comes back when it is released, so it counts against the bound as well.
    const count = await tx.$executeRaw`UPDATE "CreditAccount" SET available = available + ${input.amount}::int, "updatedAt" = now()
      WHERE kind = ${kind}::"AccountKind" AND "ownerId" = ${ownerId}::uuid AND available >= ${Math.max(0, -input.amount)}::int AND available::bigint + held + ${input.amount}::int <= ${balanceMax}`;
    if (count === 0) throw new SluiceError("conflict", input.amount < 0 ? "Fewer credits are available than this would take back." : "This is more than an account can hold.");
    const shared = { transactionId: newId(), tenantId, kind: input.amount > 0 ? "grant" : "adjust", reason: input.reason, requestId: ctx.requestId, actor: actorRef(ctx) };
    await tx.ledgerEntry.createMany({
      data: [
        { ...shared, id: newId(), accountKind: kind, accountId: ownerId, amount: input.amount },
        { ...shared, id: newId(), accountKind: "system", accountId: "issued", amount: -input.amount },
      ],
    });
    await recordAudit(tx, ctx, { action: input.amount > 0 ? "credits.granted" : "credits.adjusted", target: { type: kind, id: ownerId }, tenantId, data: { amount: input.amount, reason: input.reason } });
    const { available, held } = await tx.creditAccount.findUniqueOrThrow({ where: { kind_ownerId: { kind, ownerId } } });
    return { account: { kind, id: ownerId }, available, held, currency: "credits" };
  });
}
