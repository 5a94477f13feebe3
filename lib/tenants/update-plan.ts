import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { isUniqueViolation, transaction, type Tx } from "@/lib/platform/db";
import { isUuid } from "@/lib/platform/ids";
import { confirmInvalidation, type PendingInvalidation, planInvalidation } from "@/lib/platform/records";
import { planChain, planNameTaken } from "./create-plan";
import { noSuchPlan } from "./get-plan";
import { changedLimits } from "./limits";
import { tenantRecordKey } from "./person-state";
import { planFields, planView } from "./plan-view";
import type { PlanView, UpdatePlanInput } from "./schemas";

/**
 * Changes a plan; a field left out stays. A changed limit holds for all of its tenants, on every replica, when this returns.
 * `monthlyCredits` are for accounts made from now on.
 *
 * @throws SluiceError `not_found`, `conflict` when the name is taken, `store_unavailable` as `updateTenant`
 */
export async function updatePlan(ctx: Context, id: string, input: UpdatePlanInput): Promise<PlanView> {
  requirePermission(ctx, "admin:tenants");
  if (!isUuid(id)) throw noSuchPlan();
  const { plan, pending } = await change(ctx, id, input).catch((error: unknown) => {
    throw isUniqueViolation(error) ? planNameTaken() : error;
  });
  for (const part of pending) await confirmInvalidation(part);
  return planView(plan);
}

function change(ctx: Context, id: string, { limits, ...rest }: UpdatePlanInput) {
  return transaction(async (tx) => {
    const [locked] = await tx.$queryRaw<{ limits: unknown }[]>`SELECT limits FROM "Plan" WHERE id = ${id}::uuid FOR UPDATE`;
    if (!locked) throw noSuchPlan();
    const data = { ...rest, ...(limits && { limits: changedLimits(locked.limits, limits) }) };
    const plan = await tx.plan.update({ where: { id }, data, select: planFields });
    await recordAudit(tx, ctx, { action: "plan.updated", target: { type: "plan", id }, tenantId: planChain, data });
    return { plan, pending: limits ? await touchTenants(tx, id) : [] };
  });
}

/** What one outbox row carries at most. */
const partSize = 5000;

async function touchTenants(tx: Tx, planId: string): Promise<PendingInvalidation[]> {
  const tenants = await tx.$queryRaw<{ id: string; version: number }[]>`UPDATE "Tenant" SET version = version + 1 WHERE "planId" = ${planId}::uuid RETURNING id, version`;
  const stale = tenants.map(({ id, version }) => ({ key: tenantRecordKey(id), version }));
  const pending: PendingInvalidation[] = [];
  for (let from = 0; from < stale.length; from += partSize) pending.push(await planInvalidation(tx, stale.slice(from, from + partSize)));
  return pending;
}
