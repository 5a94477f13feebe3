import { z } from "zod";

/** Negative takes back what was granted, never below zero. Credits, whole ones. */
export const AdjustCreditsInput = z.strictObject({
  amount: z.int().min(-1_000_000_000).max(1_000_000_000).refine((v) => v !== 0, "must not be zero"),
  reason: z.string().trim().min(1, "must not be empty").max(500).refine((v) => v.isWellFormed() && !v.includes("\u0000"), "must be well-formed text"),
});
export type AdjustCreditsInput = z.output<typeof AdjustCreditsInput>;

export const AccountView = z.object({ account: z.object({ kind: z.enum(["user", "tenant"]), id: z.uuid() }), available: z.int(), held: z.int(), currency: z.literal("credits") });
export type AccountView = z.infer<typeof AccountView>;
