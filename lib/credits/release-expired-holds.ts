import { z } from "zod";
import { isDatabaseDown, pool } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { listAnswered, withoutWord } from "./call-register";
import { endHoldAs } from "./end-hold";
import { settleAnswered } from "./settle-hold";

export const creditReleaseJob = { name: "credits.release", payload: z.object({}) };

/**
 * Gives back what was held for calls whose process died: it no longer renews them. Calls that were answered while PostgreSQL was
 * away are settled first, and what a living process vouches for is left alone.
 *
 * @returns how many were released. @throws SluiceError `store_unavailable` while Redis is away: lost and answered calls look alike then.
 */
export async function releaseExpiredHolds(): Promise<number> {
  for (const call of await listAnswered()) {
    await settleAnswered(call).catch((error: unknown) => {
      if (isDatabaseDown(error)) throw error;
      // One that cannot be settled must not keep the others waiting.
      logger.error({ err: error, holdId: call.holdId }, "an answered call could not be settled");
    });
  }
  const { rows } = await pool().query<{ id: string }>(`SELECT id FROM "CreditHold" WHERE state = 'held' AND "expiresAt" < now() ORDER BY "expiresAt" LIMIT 500`);
  let released = 0;
  for (const id of await withoutWord(rows.map((row) => row.id))) if (await endHoldAs(id, "released", "the call was lost")) released++;
  return released;
}
