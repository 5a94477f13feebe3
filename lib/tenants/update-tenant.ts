import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { noSuchTenant } from "./get-tenant";
import { changedLimits } from "./limits";
import { tenantRecordKey } from "./person-state";
import { requirePlan } from "./plan-view";
import type { TenantView, UpdateTenantInput } from "./schemas";
import { tenantFields, tenantView } from "./tenant-view";

/**
 * Changes a tenant; a field left out stays. `isActive: false` shuts out its people and every key of theirs, and a changed
 * limit holds, on every replica when this returns.
 *
 * @throws SluiceError `not_found`; `validation_failed` for an unknown plan; `conflict` for whoever would shut out themselves;
 *   `store_unavailable` when Redis does not confirm: the change is stored, and reaches the checks as soon as Redis answers
 */
export async function updateTenant(ctx: Context, id: string, input: UpdateTenantInput): Promise<TenantView> {
  requirePermission(ctx, "admin:tenants");
  if (!isUuid(id)) throw noSuchTenant();
  if (input.isActive === false && id.toLowerCase() === ctx.tenantId) throw new SluiceError("conflict", "This is your own tenant: you would shut yourself out.");
  const { tenant, pending } = await transaction(async (tx) => {
    const [locked] = await tx.$queryRaw<{ version: number; limits: unknown }[]>`SELECT version, limits FROM "Tenant" WHERE id = ${id}::uuid FOR UPDATE`;
    if (!locked) throw noSuchTenant();
    const { plan, limits, ...rest } = input;
    const data = { ...rest, ...(plan && { planId: await requirePlan(tx, plan) }), ...(limits && { limits: changedLimits(locked.limits, limits) }) };
    const after = await tx.tenant.update({ where: { id }, data: { ...data, version: { increment: 1 } }, select: tenantFields });
    await recordAudit(tx, ctx, { action: "tenant.updated", target: { type: "tenant", id }, tenantId: id, data: { ...rest, ...(plan && { plan: after.plan.name }), ...(data.limits && { limits: data.limits }) } });
    return { tenant: after, pending: await planInvalidation(tx, [{ key: tenantRecordKey(id), version: locked.version + 1 }]) };
  });
  await confirmInvalidation(pending);
  return tenantView(tenant);
}
