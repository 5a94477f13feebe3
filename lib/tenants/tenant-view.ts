import type { Prisma } from "@/lib/platform/db";
import { limitsInForce, limitsView } from "./limits";
import type { TenantView } from "./schemas";

export const tenantFields = {
  id: true, slug: true, name: true, planId: true, limits: true, creditMode: true, isActive: true, createdAt: true, updatedAt: true,
  plan: { select: { name: true, limits: true } }, _count: { select: { users: true } },
} as const satisfies Prisma.TenantSelect;

export type TenantFields = Prisma.TenantGetPayload<{ select: typeof tenantFields }>;

export function tenantView({ plan, _count, limits, createdAt, updatedAt, ...rest }: TenantFields): TenantView {
  const { keysPerUser, keyMaxLifetimeDays = null, rateLimit } = limitsInForce(limits, plan.limits);
  return {
    ...rest, plan: plan.name, limits: limitsView(limits), limitsInForce: { keysPerUser, keyMaxLifetimeDays, rateLimit }, users: _count.users,
    createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString(),
  };
}
