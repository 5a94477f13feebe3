import type { RateLimit } from "@/lib/access";
import type { Tx } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { type LimitsInput, type LimitsView, StoredLimits } from "./schemas";

/** What holds for a tenant: its own word, else its plan's, else the operator's. */
export type Limits = { keysPerUser: number; keyMaxLifetimeDays: number | undefined; rateLimit: RateLimit };

export function limitsInForce(tenant: unknown, plan: unknown): Limits {
  const set = { ...StoredLimits.parse(plan), ...StoredLimits.parse(tenant) };
  const { API_KEY_MAX_PER_USER, API_KEY_MAX_LIFETIME_DAYS, TENANT_RATE_LIMIT } = env();
  return { keysPerUser: set.keysPerUser ?? API_KEY_MAX_PER_USER, keyMaxLifetimeDays: set.keyMaxLifetimeDays ?? API_KEY_MAX_LIFETIME_DAYS, rateLimit: set.rateLimit ?? TENANT_RATE_LIMIT };
}

/** How many live keys a person of this tenant may have, how long one may live, and how many calls the whole tenant has. */
export async function limitsOf(tx: Tx, tenantId: string): Promise<Limits> {
  const { limits, plan } = await tx.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { limits: true, plan: { select: { limits: true } } } });
  return limitsInForce(limits, plan.limits);
}

/** `null` takes a limit back, a member left out stays. What is stored names only what is set. */
export function changedLimits(before: unknown, input: LimitsInput): StoredLimits {
  const merged = { ...StoredLimits.parse(before), ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) };
  return StoredLimits.parse(Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)));
}

export function limitsView(stored: unknown): LimitsView {
  const { keysPerUser = null, keyMaxLifetimeDays = null, rateLimit = null } = StoredLimits.parse(stored);
  return { keysPerUser, keyMaxLifetimeDays, rateLimit };
}
