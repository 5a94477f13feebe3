import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { isUniqueViolation, transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { changedLimits } from "./limits";
import { planFields, planView } from "./plan-view";
import type { CreatePlanInput, PlanView } from "./schemas";

/** Plans belong to no tenant, and so their audit events to the chain "system". */
export const planChain = "system";
export const planNameTaken = () => new SluiceError("conflict", "There is a plan with this name already.");

/** @throws SluiceError `conflict` when the name is taken */
export async function createPlan(ctx: Context, input: CreatePlanInput): Promise<PlanView> {
  requirePermission(ctx, "admin:tenants");
  const id = newId();
  const limits = changedLimits({}, input.limits ?? {});
  try {
    return await transaction(async (tx) => {
      const plan = await tx.plan.create({ data: { id, name: input.name, limits, monthlyCredits: input.monthlyCredits }, select: planFields });
      await recordAudit(tx, ctx, { action: "plan.created", target: { type: "plan", id }, tenantId: planChain, data: { name: input.name, limits, monthlyCredits: input.monthlyCredits } });
      return planView(plan);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? planNameTaken() : error;
  }
}
