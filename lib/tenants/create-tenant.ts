import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { isUniqueViolation, transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { changedLimits } from "./limits";
import { defaultPlanId, requirePlan } from "./plan-view";
import type { CreateTenantInput, TenantView } from "./schemas";
import { tenantFields, tenantView } from "./tenant-view";

/**
 * Makes a tenant before its first person signs in, who then finds it by the slug that Keycloak names.
 * @throws SluiceError `conflict` when the slug is taken, `validation_failed` for an unknown plan
 */
export async function createTenant(ctx: Context, input: CreateTenantInput): Promise<TenantView> {
  requirePermission(ctx, "admin:tenants");
  const id = newId();
  try {
    return await transaction(async (tx) => {
      const planId = input.plan ? await requirePlan(tx, input.plan) : defaultPlanId;
      const limits = changedLimits({}, input.limits ?? {});
      const tenant = await tx.tenant.create({ data: { id, slug: input.slug, name: input.name ?? input.slug, planId, limits, creditMode: input.creditMode ?? "user" }, select: tenantFields });
      await recordAudit(tx, ctx, { action: "tenant.created", target: { type: "tenant", id }, tenantId: id, data: { slug: tenant.slug, name: tenant.name, plan: tenant.plan.name, limits, creditMode: tenant.creditMode } });
      return tenantView(tenant);
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new SluiceError("conflict", "There is a tenant with this slug already.");
    throw error;
  }
}
