import { actorRef, type Context, requirePerson } from "@/lib/access";
import { pool } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { logger } from "@/lib/platform/logger";
import { accountOf, ensureAccount } from "./account";

/** How long a hold outlives the process that stopped renewing it. */
const holdSeconds = 120;
const renewEveryMs = 30_000;

/** Credits set aside for one call. `remaining` is what was available right after. */
export type Hold = { id: string; amount: number; remaining: number };

const takeHold = `WITH taken AS (UPDATE "CreditAccount" SET available = available - $3, held = held + $3, "updatedAt" = now()
    WHERE kind = $1::"AccountKind" AND "ownerId" = $2 AND available >= $3 RETURNING available),
  made AS (INSERT INTO "CreditHold" (id, "accountKind", "ownerId", "tenantId", "userId", "chatflowId", "requestId", amount, "expiresAt")
    SELECT $4, $1::"AccountKind", $2, $5, $6, $7, $8, $3, now() + make_interval(secs => $9) FROM taken RETURNING id),
  entries AS (INSERT INTO "LedgerEntry" (id, "transactionId", "accountKind", "accountId", "tenantId", amount, kind, "chatflowId", "requestId", actor)
    SELECT r.id, $4, r.kind::"AccountKind", r.account, $5, r.amount, 'hold', $7, $8, $12::jsonb FROM made, (VALUES ($10::uuid, $1::text, $2::text, -$3::int), ($11::uuid, 'system', 'held', $3::int)) AS r(id, kind, account, amount))
  SELECT available FROM taken`;

/**
 * Sets a call's cost aside before it is made. One statement: whatever runs at once, two calls never hold the same
 * credit and no balance goes below zero. The hold is renewed while this process lives, and released by a job otherwise.
 *
 * @throws SluiceError `out_of_credits`, with nothing held.
 */
export async function holdCredits(ctx: Context, call: { amount: number; chatflowId: string }): Promise<Hold> {
  const person = requirePerson(ctx);
  const account = await accountOf(person);
  const take = async () => {
    const id = newId();
    const { rows } = await pool().query<{ available: number }>(takeHold, [account.kind, account.ownerId, call.amount, id, person.tenantId, person.userId, call.chatflowId, ctx.requestId, holdSeconds, newId(), newId(), JSON.stringify(actorRef(ctx))]);
    return rows[0] ? { id, amount: call.amount, remaining: rows[0].available } : null;
  };
  let hold = await take();
  if (!hold) {
    // Nothing was taken: either there is too little, or there was no account yet.
    await ensureAccount(account);
    hold = await take();
  }
  if (!hold) throw new SluiceError("out_of_credits", `This costs ${call.amount} ${call.amount === 1 ? "credit" : "credits"}, and too few are left.`);
  keepAlive(hold.id);
  return hold;
}

const endHold = `WITH ended AS (UPDATE "CreditHold" SET state = $2::"HoldState", "endedAt" = now() WHERE id = $1 AND state = 'held' RETURNING *),
  moved AS (UPDATE "CreditAccount" a SET held = a.held - e.amount, available = a.available + CASE WHEN $2 = 'released' THEN e.amount ELSE 0 END, "updatedAt" = now()
    FROM ended e WHERE a.kind = e."accountKind" AND a."ownerId" = e."ownerId"),
  entries AS (INSERT INTO "LedgerEntry" (id, "transactionId", "accountKind", "accountId", "tenantId", amount, kind, reason, "chatflowId", "requestId", actor)
    SELECT r.id, $3, r.kind::"AccountKind", r.account, e."tenantId", r.sign * e.amount, CASE WHEN $2 = 'released' THEN 'release' ELSE 'settle' END, $6, e."chatflowId", e."requestId", jsonb_build_object('type', 'user', 'id', e."userId")
    FROM ended e, LATERAL (VALUES ($4::uuid, 'system', 'held', -1),
      ($5::uuid, CASE WHEN $2 = 'released' THEN e."accountKind"::text ELSE 'system' END, CASE WHEN $2 = 'released' THEN e."ownerId"::text ELSE 'spent' END, 1)) AS r(id, kind, account, sign))
  SELECT id FROM ended`;

/** Ends a hold once: whoever comes second finds it ended and changes nothing. @returns whether it was still held. */
export async function endHoldAs(holdId: string, state: "settled" | "released", reason: string | null): Promise<boolean> {
  letGo(holdId);
  const { rowCount } = await pool().query(endHold, [holdId, state, newId(), newId(), newId(), reason]);
  return rowCount === 1;
}

/** The call was made: what was held is spent. */
export async function settleHold(hold: Hold): Promise<void> {
  await endHoldAs(hold.id, "settled", null);
}

/** The call failed: what was held is given back. */
export async function releaseHold(hold: Hold): Promise<void> {
  await endHoldAs(hold.id, "released", null);
}

const alive = new Set<string>();
let timer: NodeJS.Timeout | undefined;

function keepAlive(holdId: string): void {
  alive.add(holdId);
  timer ??= setInterval(() => void renew(), renewEveryMs).unref();
}

function letGo(holdId: string): void {
  alive.delete(holdId);
  if (alive.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

async function renew(): Promise<void> {
  await pool().query(`UPDATE "CreditHold" SET "expiresAt" = now() + make_interval(secs => $2) WHERE id = ANY($1::uuid[]) AND state = 'held'`, [[...alive], holdSeconds])
    .catch((error: unknown) => logger.warn({ err: error }, "holds could not be renewed"));
}
