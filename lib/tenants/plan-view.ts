import type { Prisma, Tx } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { limitsView } from "./limits";
import type { PlanView } from "./schemas";

/** Made by the first migration; tenants that come by themselves get it. */
export const defaultPlanId = "00000000-0000-7000-8000-000000000001";

export const planFields = { id: true, name: true, limits: true, monthlyCredits: true, createdAt: true, updatedAt: true, _count: { select: { tenants: true } } } as const satisfies Prisma.PlanSelect;

export function planView({ _count, limits, createdAt, updatedAt, ...rest }: Prisma.PlanGetPayload<{ select: typeof planFields }>): PlanView {
  return { ...rest, limits: limitsView(limits), isDefault: rest.id === defaultPlanId, tenants: _count.tenants, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

/** By name or id, held so that nobody deletes it meanwhile. @throws SluiceError `validation_failed` when there is none */
export async function requirePlan(tx: Tx, named: string): Promise<string> {
  const rows = await tx.$queryRaw<{ id: string }[]>`SELECT id FROM "Plan" WHERE name = ${named} OR id::text = ${isUuid(named) ? named.toLowerCase() : ""} FOR SHARE`;
  if (!rows[0]) throw invalid([{ pointer: "/plan", detail: "is not a plan" }]);
  return rows[0].id;
}
