import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import type { TenantView } from "./schemas";
import { tenantFields, tenantView } from "./tenant-view";

export const noSuchTenant = () => notFound("There is no such tenant.");

/** @throws SluiceError `not_found` */
export async function getTenant(ctx: Context, id: string): Promise<TenantView> {
  requirePermission(ctx, "admin:tenants");
  const tenant = isUuid(id) ? await db().tenant.findUnique({ where: { id }, select: tenantFields }) : null;
  if (!tenant) throw noSuchTenant();
  return tenantView(tenant);
}

/** For verbs of other features that are given a slug or an id, and ask for a permission of their own. @throws SluiceError `not_found` */
export async function findTenantId(slugOrId: string): Promise<string> {
  const tenant = await db().tenant.findFirst({ where: isUuid(slugOrId) ? { OR: [{ id: slugOrId }, { slug: slugOrId }] } : { slug: slugOrId }, select: { id: true } });
  if (!tenant) throw noSuchTenant();
  return tenant.id;
}
