import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { pageOf, readCursor } from "@/lib/platform/cursor";
import { db } from "@/lib/platform/db";
import { planFields, planView } from "./plan-view";
import type { ListTenantsInput, PlanView } from "./schemas";

/** All plans, by name. */
export async function listPlans(ctx: Context, input: ListTenantsInput): Promise<{ plans: PlanView[]; nextCursor: string | null }> {
  requirePermission(ctx, "admin:tenants");
  const rows = await db().plan.findMany({
    where: {
      ...(input.q && { name: { contains: input.q.replace(/[\\%_]/g, "\\$&"), mode: "insensitive" as const } }),
      ...(input.cursor && { AND: [{ name: { gt: readCursor(z.string().max(100), input.cursor) } }] }),
    },
    orderBy: { name: "asc" }, take: input.limit + 1, select: planFields,
  });
  const { page, nextCursor } = pageOf(rows, input.limit, (row) => row.name);
  return { plans: page.map(planView), nextCursor };
}
