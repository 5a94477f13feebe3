import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { pageOf, readCursor } from "@/lib/platform/cursor";
import { db } from "@/lib/platform/db";
import type { ListTenantsInput, TenantView } from "./schemas";
import { tenantFields, tenantView } from "./tenant-view";

/** All tenants, by slug. */
export async function listTenants(ctx: Context, input: ListTenantsInput): Promise<{ tenants: TenantView[]; nextCursor: string | null }> {
  requirePermission(ctx, "admin:tenants");
  // Prisma passes LIKE's wildcards on.
  const q = input.q?.replace(/[\\%_]/g, "\\$&");
  const rows = await db().tenant.findMany({
    where: {
      ...(q && { OR: [{ slug: { contains: q, mode: "insensitive" } }, { name: { contains: q, mode: "insensitive" } }] }),
      ...(input.cursor && { slug: { gt: readCursor(z.string().max(100), input.cursor) } }),
    },
    orderBy: { slug: "asc" }, take: input.limit + 1, select: tenantFields,
  });
  const { page, nextCursor } = pageOf(rows, input.limit, (row) => row.slug);
  return { tenants: page.map(tenantView), nextCursor };
}
