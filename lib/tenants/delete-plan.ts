import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { planChain } from "./create-plan";
import { noSuchPlan } from "./get-plan";
import { defaultPlanId } from "./plan-view";

/** @throws SluiceError `not_found`; `conflict` for the default plan, and for one that tenants have */
export async function deletePlan(ctx: Context, id: string): Promise<{ id: string; name: string }> {
  requirePermission(ctx, "admin:tenants");
  if (!isUuid(id)) throw noSuchPlan();
  if (id.toLowerCase() === defaultPlanId) throw new SluiceError("conflict", "This plan is what new tenants get. It cannot be deleted.");
  return transaction(async (tx) => {
    // Held until the end, so that no tenant takes it while we look.
    const [plan] = await tx.$queryRaw<{ id: string; name: string }[]>`SELECT id, name FROM "Plan" WHERE id = ${id}::uuid FOR UPDATE`;
    if (!plan) throw noSuchPlan();
    const tenants = await tx.tenant.count({ where: { planId: id } });
    if (tenants > 0) throw new SluiceError("conflict", `${tenants} ${tenants === 1 ? "tenant has" : "tenants have"} this plan. Give them another one first.`);
    await tx.plan.delete({ where: { id } });
    await recordAudit(tx, ctx, { action: "plan.deleted", target: { type: "plan", id }, tenantId: planChain, data: { name: plan.name } });
    return plan;
  });
}
