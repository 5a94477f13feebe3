import { pool } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { logger } from "@/lib/platform/logger";
import { letGo } from "./keep-alive";

/** What costs nothing holds nothing, and leaves no trace in the ledger. */
export const free = "";

const endHold = `WITH ended AS (UPDATE "CreditHold" SET state = $2::"HoldState", "endedAt" = now() WHERE id = $1 AND state = 'held' RETURNING *),
  moved AS (UPDATE "CreditAccount" a SET held = a.held - e.amount, available = a.available + CASE WHEN $2 = 'released' THEN e.amount ELSE 0 END, "updatedAt" = now()
    FROM ended e WHERE a.kind = e."accountKind" AND a."ownerId" = e."ownerId"),
  entries AS (INSERT INTO "LedgerEntry" (id, "transactionId", "accountKind", "accountId", "tenantId", amount, kind, reason, "chatflowId", "requestId", actor)
    SELECT r.id, $3, r.kind::"AccountKind", r.account, e."tenantId", r.sign * e.amount, CASE WHEN $2 = 'released' THEN 'release' ELSE 'settle' END, $6, e."chatflowId", e."requestId", jsonb_build_object('type', 'user', 'id', e."userId")
    FROM ended e, LATERAL (VALUES ($4::uuid, 'system', 'held', -1),
      ($5::uuid, CASE WHEN $2 = 'released' THEN e."accountKind"::text ELSE 'system' END, CASE WHEN $2 = 'released' THEN e."ownerId"::text ELSE 'spent' END, 1)) AS r(id, kind, account, sign))
  SELECT id FROM ended`;

/** Ends a hold once: a second end finds it ended and changes nothing. @returns whether it was still held. */
export async function endHoldAs(holdId: string, state: "settled" | "released", reason: string | null = null): Promise<boolean> {
  if (holdId === free) return false;
  const { rowCount } = await pool().query({ name: "end-hold", text: endHold, values: [holdId, state, newId(), newId(), newId(), reason] });
  letGo(holdId);
  if (rowCount === 0 && state === "settled") await noteUncharged(holdId);
  return rowCount === 1;
}

/** A call that was answered found its hold given back. Nothing is taken a second time: `checkLedger` names it. */
async function noteUncharged(holdId: string): Promise<void> {
  const { rowCount } = await pool().query(`UPDATE "CreditHold" SET "answeredAt" = now() WHERE id = $1 AND state = 'released' AND "answeredAt" IS NULL`, [holdId]);
  if (rowCount === 1) logger.error({ holdId }, "a call was answered whose credits had been released: nobody was charged");
}
