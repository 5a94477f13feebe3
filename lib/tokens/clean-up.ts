import { z } from "zod";
import { now } from "@/lib/platform/clock";
import { pool } from "@/lib/platform/db";
import { dropEndedSigningKeys } from "@/lib/platform/signing-keys";

export const tokenCleanupJob = { name: "tokens.clean-up", payload: z.object({}) };

const dayMs = 86_400_000;
/** Ended families stay for a while, so that a late use is told apart from a guess. */
const keptMs = 7 * dayMs;
const batchMax = 1000;
const batchesMax = 50;

/**
 * Forgets what ended long ago: whole families with their refresh tokens, spent refresh tokens of families that go on, signing keys whose last token has ended.
 * In batches, so that no statement holds many rows for long; what is left is taken the next time. @returns how many rows went
 */
export async function cleanUpTokens(): Promise<number> {
  const before = new Date(now() - keptMs);
  const families = await inBatches(`DELETE FROM "TokenFamily" WHERE id IN (SELECT id FROM "TokenFamily" WHERE "expiresAt" < $1 LIMIT ${batchMax})`, before);
  // A spent token raises the alarm as long as it could have been good; after that it is only old.
  const tokens = await inBatches(`DELETE FROM "RefreshToken" WHERE id IN (SELECT id FROM "RefreshToken" WHERE "expiresAt" < $1 AND "spentAt" IS NOT NULL LIMIT ${batchMax})`, new Date(now() - dayMs));
  return families + tokens + (await dropEndedSigningKeys());
}

async function inBatches(statement: string, before: Date): Promise<number> {
  let gone = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const { rowCount } = await pool().query(statement, [before]);
    gone += rowCount ?? 0;
    if ((rowCount ?? 0) < batchMax) break;
  }
  return gone;
}
