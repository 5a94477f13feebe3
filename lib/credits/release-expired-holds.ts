import { z } from "zod";
import { pool } from "@/lib/platform/db";
import { endHoldAs } from "./hold-credits";

export const creditReleaseJob = { name: "credits.release", payload: z.object({}) };

/** Gives back what was held for calls whose process died: it no longer renews them. @returns how many. */
export async function releaseExpiredHolds(): Promise<number> {
  const { rows } = await pool().query<{ id: string }>(`SELECT id FROM "CreditHold" WHERE state = 'held' AND "expiresAt" < now() ORDER BY "expiresAt" LIMIT 500`);
  let released = 0;
  for (const { id } of rows) if (await endHoldAs(id, "released", "the call was lost")) released++;
  return released;
}
