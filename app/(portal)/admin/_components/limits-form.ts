import { z } from "zod";
import type { LimitsInput, LimitsView } from "@/lib/tenants/schemas";

const whole = (max: number) => z.string().trim().regex(/^\d{0,7}$/, "must be a whole number").refine((text) => text === "" || Number(text) <= max, `must be at most ${max.toLocaleString("en")}`);
const atLeastOne = (text: string) => text === "" || Number(text) >= 1;

/** Limits as people type them; an empty field takes the next one's: the plan's, or the operator's. */
export const LimitsForm = z.object({
  keysPerUser: whole(100_000),
  keyMaxLifetimeDays: whole(36_500).refine(atLeastOne, "must be at least 1"),
  rateLimit: z.object({ requests: whole(9_999_999).refine(atLeastOne, "must be at least 1"), window: z.string() }),
});
export type LimitsFormValues = z.input<typeof LimitsForm>;

const text = (value: number | null | undefined) => (value === null || value === undefined ? "" : String(value));

export function limitsFormOf(limits: LimitsView | null): LimitsFormValues {
  return { keysPerUser: text(limits?.keysPerUser), keyMaxLifetimeDays: text(limits?.keyMaxLifetimeDays), rateLimit: { requests: text(limits?.rateLimit?.requests), window: text(limits?.rateLimit?.window ?? 3600) } };
}

const number = (value: string) => (value === "" ? null : Number(value));

export function limitsInputOf(form: LimitsFormValues): LimitsInput {
  const requests = number(form.rateLimit.requests);
  return { keysPerUser: number(form.keysPerUser), keyMaxLifetimeDays: number(form.keyMaxLifetimeDays), rateLimit: requests === null ? null : { requests, window: Number(form.rateLimit.window) } };
}
