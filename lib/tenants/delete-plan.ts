import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { planChain } from "./create-plan";
import { noSuchPlan } from "./get-plan";
import { defaultPlanId, planFields, planView } from "./plan-view";
import type { PlanView } from "./schemas";

/** @returns the plan as it last was. @throws SluiceError `not_found`; `conflict` for the default plan, and for one that tenants have */
export async function deletePlan(ctx: Context, id: string): Promise<PlanView> {
  requirePermission(ctx, "admin:tenants");
  if (!isUuid(id)) throw noSuchPlan();
  if (id.toLowerCase() === defaultPlanId) throw new SluiceError("conflict", "This plan is what new tenants get. It cannot be deleted.");
  return transaction(async (tx) => {
    // Held until the end, so that no tenant takes it while we look.
    const found = await tx.$queryRaw<unknown[]>`SELECT 1 FROM "Plan" WHERE id = ${id}::uuid FOR UPDATE`;
    if (found.length === 0) throw noSuchPlan();
    const tenants = await tx.tenant.count({ where: { planId: id } });
    if (tenants > 0) throw new SluiceError("conflict", `${tenants} ${tenants === 1 ? "tenant has" : "tenants have"} this plan. Give them another one first.`);
    const plan = await tx.plan.delete({ where: { id }, select: planFields });
    await recordAudit(tx, ctx, { action: "plan.deleted", target: { type: "plan", id }, tenantId: planChain, data: { name: plan.name } });
    return planView(plan);
  });
}
