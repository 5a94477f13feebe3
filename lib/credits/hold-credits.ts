import { actorRef, type CallTrace, type Context, requirePerson } from "@/lib/access";
import { pool } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { accountOf, ensureAccount } from "./account";
import { free } from "./end-hold";
import { getPersonBalance } from "./get-balance";
import { holdSeconds, keepAlive } from "./keep-alive";

/** Credits set aside for one call. `remaining` is what was available right after. */
export type Hold = { id: string; amount: number; remaining: number; /** The named attempt that it belongs to. */ attempt?: string };

/** Which call a hold is for, so that what is settled shows in its line of the request log. */
export const callOf = new WeakMap<Hold, CallTrace>();

/** Whose account pays: the person's ($2), or their tenant's ($1) where it says so. */
const payer = `payer AS (SELECT "creditMode"::text::"AccountKind" AS kind, CASE "creditMode" WHEN 'tenant' THEN $1::uuid ELSE $2::uuid END AS owner FROM "Tenant" WHERE id = $1)`;

const takeHold = `WITH ${payer},
  taken AS (UPDATE "CreditAccount" a SET available = a.available - $3::int, held = a.held + $3::int, "updatedAt" = now()
    FROM payer p WHERE a.kind = p.kind AND a."ownerId" = p.owner AND a.available >= $3::int RETURNING a.kind, a."ownerId", a.available),
  made AS (INSERT INTO "CreditHold" (id, "accountKind", "ownerId", "tenantId", "userId", "chatflowId", "requestId", amount, "expiresAt")
    SELECT $4, kind, "ownerId", $1, $2, $5, $6, $3::int, now() + make_interval(secs => $7) FROM taken RETURNING id),
  entries AS (INSERT INTO "LedgerEntry" (id, "transactionId", "accountKind", "accountId", "tenantId", amount, kind, "chatflowId", "requestId", actor)
    SELECT r.id, $4, r.kind::"AccountKind", r.account, $1, r.amount, 'hold', $5, $6, $10::jsonb FROM taken, made, LATERAL (VALUES ($8::uuid, taken.kind::text, taken."ownerId"::text, -$3::int), ($9::uuid, 'system', 'held', $3::int)) AS r(id, kind, account, amount))
  SELECT available FROM taken`;

/**
 * Sets a call's cost aside before it is made. One statement: whatever runs at once, two calls never hold the same
 * credit and no balance goes below zero. The hold is renewed while this process lives, and released by a job otherwise.
 *
 * @throws SluiceError `out_of_credits`, with nothing held.
 */
export async function holdCredits(ctx: Context, call: { amount: number; chatflowId: string }): Promise<Hold> {
  const person = requirePerson(ctx);
  if (call.amount === 0) return { id: free, amount: 0, remaining: (await getPersonBalance(person)).available };
  const take = async () => {
    const id = newId();
    const values = [person.tenantId, person.userId, call.amount, id, call.chatflowId, ctx.requestId, holdSeconds, newId(), newId(), JSON.stringify(actorRef(ctx))];
    const { rows } = await pool().query<{ available: number }>({ name: "take-hold", text: takeHold, values });
    return rows[0] ? { id, amount: call.amount, remaining: rows[0].available, ...(ctx.attempt && { attempt: ctx.attempt }) } : null;
  };
  let hold = await take();
  if (!hold) {
    // Nothing was taken: either there is too little, or there was no account yet.
    await ensureAccount(await accountOf(person));
    hold = await take();
  }
  if (!hold) {
    const { available } = await getPersonBalance(person);
    throw new SluiceError("out_of_credits", `This costs ${call.amount} ${call.amount === 1 ? "credit" : "credits"}, and too few are left.`, { decision: { check: "credits", seen: available, limit: call.amount } });
  }
  if (ctx.call) callOf.set(hold, ctx.call);
  keepAlive(hold.id);
  return hold;
}
