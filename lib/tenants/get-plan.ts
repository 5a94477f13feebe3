import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { planFields, planView } from "./plan-view";
import type { PlanView } from "./schemas";

export const noSuchPlan = () => notFound("There is no such plan.");

/** @throws SluiceError `not_found` */
export async function getPlan(ctx: Context, id: string): Promise<PlanView> {
  requirePermission(ctx, "admin:tenants");
  const plan = isUuid(id) ? await db().plan.findUnique({ where: { id }, select: planFields }) : null;
  if (!plan) throw noSuchPlan();
  return planView(plan);
}
