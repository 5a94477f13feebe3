import { actorRef, type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { getPerson } from "@/lib/tenants";
import { ensureAccount } from "./account";
import type { AccountView, AdjustCreditsInput } from "./schemas";

/**
 * Grants credits to a person of any tenant, or takes some back.
 *
 * @throws SluiceError `insufficient_permission`, `not_found`, `conflict` when more would be taken than is available.
 */
export async function adjustCredits(ctx: Context, userId: string, input: AdjustCreditsInput): Promise<AccountView> {
  requirePermission(ctx, "admin:credits");
  const person = await getPerson(userId);
  await ensureAccount({ kind: "user", ownerId: person.id, tenantId: person.tenantId });
  const where = { kind: "user", ownerId: person.id } as const;
  return transaction(async (tx) => {
    const { count } = await tx.creditAccount.updateMany({ where: { ...where, available: { gte: Math.max(0, -input.amount) } }, data: { available: { increment: input.amount } } });
    if (count === 0) throw new SluiceError("conflict", "Fewer credits are available than this would take back.");
    const shared = { transactionId: newId(), tenantId: person.tenantId, kind: input.amount > 0 ? "grant" : "adjust", reason: input.reason, requestId: ctx.requestId, actor: actorRef(ctx) };
    await tx.ledgerEntry.createMany({
      data: [
        { ...shared, id: newId(), accountKind: "user", accountId: person.id, amount: input.amount },
        { ...shared, id: newId(), accountKind: "system", accountId: "issued", amount: -input.amount },
      ],
    });
    await recordAudit(tx, ctx, { action: input.amount > 0 ? "credits.granted" : "credits.adjusted", target: { type: "user", id: person.id }, tenantId: person.tenantId, data: { amount: input.amount, reason: input.reason } });
    const account = await tx.creditAccount.findUniqueOrThrow({ where: { kind_ownerId: where } });
    return { account: { kind: "user", id: person.id }, available: account.available, held: account.held, currency: "credits" };
  });
}
