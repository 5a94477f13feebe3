import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Context, jobContext } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { newestSigningKey, publishSeconds, rotateSigningKey, type RotatedKey } from "@/lib/platform/signing-keys";

export const rotateSigningKeyJob = { name: "tokens.rotate-signing-key", payload: z.object({}) };

const dayMs = 86_400_000;

/** Makes the next signing key when the present one has signed for `TOKEN_SIGNING_KEY_DAYS`. Safe to run at any time, beside others. */
export async function rotateSigningKeyWhenDue(): Promise<void> {
  const dueAt = now() - env().TOKEN_SIGNING_KEY_DAYS * dayMs;
  const newest = await newestSigningKey();
  // Without any key the first signature makes one.
  if (newest && newest.signsFrom.getTime() < dueAt) await rotate(jobContext(rotateSigningKeyJob.name, randomUUID()), { unlessNewerThan: newest.kid });
}

/**
 * Makes the next signing key now, by the operator's hand. It signs when every replica and every keeper of a copy of the key set can know it; tokens of the present
 * one stay good to their end.
 * @param options.publishSeconds how long it is published before it signs
 * @param options.distrust the present keys are known to others: within a minute no replica accepts what they signed, and programs have to refresh
 */
export async function rotateSigningKeyNow(ctx: Context, options: { publishSeconds?: number; distrust?: boolean } = {}): Promise<RotatedKey> {
  const made = await rotate(ctx, options);
  if (!made) throw new Error("no signing key was made");
  return made;
}

function rotate(ctx: Context, options: { publishSeconds?: number; unlessNewerThan?: string; distrust?: boolean }): Promise<RotatedKey | null> {
  return rotateSigningKey({
    publishSeconds: options.publishSeconds ?? publishSeconds,
    unlessNewerThan: options.unlessNewerThan,
    distrust: options.distrust,
    record: (tx, { kid, signsFrom }) => recordAudit(tx, ctx, { action: "signing_key.rotated", target: { type: "signingKey", id: kid }, data: { signsFrom: signsFrom.toISOString(), ...(options.distrust && { distrusted: true }) } }),
  });
}
