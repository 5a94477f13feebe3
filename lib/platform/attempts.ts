import { z } from "zod";
import { sha256Hex } from "./crypto";
import { isDatabaseDown, pool, type Tx } from "./db";
import { SluiceError, storeUnavailable } from "./errors";
import { newId } from "./ids";
import { logger } from "./logger";

/**
 * Calls that their caller named with `Idempotency-Key` (HTTP contract, section 2). What is always true: of one name at most
 * one attempt can commit an effect, because the effect is noted in its own transaction, by whoever holds the attempt then.
 */
export type AttemptName = {
  tenantId: string;
  /** Whose name it is: two owners that choose the same key never meet. */
  owner: string;
  key: string;
  /** Of method, path, query and body; the same name for anything else is refused. */
  fingerprint: string;
};

export type KeptAnswer = { status: number; headers: Record<string, string>; body: string };
export type Claimed = { kind: "mine"; attempt: string } | { kind: "answered"; answer: KeptAnswer };

const leaseSeconds = 60;
const renewEveryMs = 20_000;
const keptSeconds = 24 * 3600;
/** Longer answers are not kept: a second use is then refused, as for a stream. Bytes of a chatflow's answer with a picture or two. */
export const keptBytesMax = 2 * 1024 * 1024;

const Headers = z.record(z.string(), z.string());

type Row = { attempt: string; fingerprint: string; state: "running" | "answered" | "unrepeatable"; alive: boolean; effect: boolean; status: number | null; headers: unknown; body: string | null };

const find = `SELECT attempt, fingerprint, state, "leaseUntil" > now() AS alive, "effectAt" IS NOT NULL AS effect, status, headers, body FROM "IdempotencyRecord" WHERE id = $1 AND "expiresAt" > now()`;

const claim = `INSERT INTO "IdempotencyRecord" (id, "tenantId", fingerprint, attempt, "leaseUntil", "expiresAt")
  VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), now() + make_interval(secs => $6))
  ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, attempt = EXCLUDED.attempt, state = 'running', "leaseUntil" = EXCLUDED."leaseUntil", "effectAt" = NULL, status = NULL, headers = NULL, body = NULL,
    "createdAt" = now(), "expiresAt" = EXCLUDED."expiresAt"
  WHERE "IdempotencyRecord"."expiresAt" <= now()
    OR ("IdempotencyRecord".state = 'running' AND "IdempotencyRecord"."leaseUntil" <= now() AND "IdempotencyRecord"."effectAt" IS NULL AND "IdempotencyRecord".fingerprint = EXCLUDED.fingerprint)
  RETURNING attempt`;

/**
 * Begins a named attempt, or finds the answer of the one before. A first attempt whose process died, as its lease shows, is
 * taken over when it had no effect; the dead one, should it wake up, can no longer commit.
 *
 * @throws SluiceError `conflict` while the first runs; `idempotency_conflict` for another call, or one that cannot be answered again
 */
export async function claimAttempt(name: AttemptName): Promise<Claimed> {
  const id = sha256Hex(`${name.tenantId}\n${name.owner}\n${name.key}`);
  try {
    for (let round = 0; round < 3; round++) {
      // Looked at first: the statement that claims would wait for the first one's transaction.
      const known = (await pool().query<Row>({ name: "attempt-find", text: find, values: [id] })).rows[0];
      const answer = known && answerOf(known, name.fingerprint);
      if (answer) return { kind: "answered", answer };
      const attempt = newId();
      const { rowCount } = await pool().query({ name: "attempt-claim", text: claim, values: [id, name.tenantId, name.fingerprint, attempt, leaseSeconds, keptSeconds] });
      if (rowCount === 1) {
        keepAlive(attempt);
        return { kind: "mine", attempt };
      }
    }
  } catch (error) {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  }
  throw stillRunning();
}

const stillRunning = () => new SluiceError("conflict", "The first call with this Idempotency-Key is still running.", { retryAfterSeconds: 1 });

/** Null when the attempt may be taken over. */
function answerOf(row: Row, fingerprint: string): KeptAnswer | null {
  if (row.fingerprint !== fingerprint) throw new SluiceError("idempotency_conflict", "This Idempotency-Key was used for another call in the last 24 hours. Choose a new one.");
  if (row.state === "answered") return { status: row.status ?? 200, headers: Headers.parse(row.headers ?? {}), body: row.body ?? "" };
  if (row.state === "unrepeatable") throw notAgain();
  if (row.alive) throw stillRunning();
  if (row.effect) throw notAgain();
  return null;
}

const notAgain = () => new SluiceError("idempotency_conflict", "The first call with this Idempotency-Key took effect, and its answer cannot be given again. Look at what it did before you choose a new key.");

/**
 * Writes down that the attempt has an effect. Called in the transaction of the effect; before it, where the effect is
 * somebody else's and cannot be in a transaction of ours.
 *
 * @throws SluiceError `conflict` when another has taken the attempt over: what was begun must not be committed.
 */
export async function noteEffect(attempt: string | undefined, tx?: Tx): Promise<void> {
  if (attempt === undefined) return;
  const count = tx
    ? await tx.$executeRaw`UPDATE "IdempotencyRecord" SET "effectAt" = now() WHERE attempt = ${attempt}::uuid AND state <> 'answered'`
    : (await pool().query(`UPDATE "IdempotencyRecord" SET "effectAt" = now() WHERE attempt = $1 AND state <> 'answered'`, [attempt])).rowCount;
  if (count !== 1) throw stillRunning();
}

/** The same for the effect of a call that was answered before PostgreSQL could be told. @throws SluiceError `conflict` as above */
export async function noteLateEffect(attempt: string | undefined): Promise<void> {
  if (attempt === undefined) return;
  const { rowCount } = await pool().query(`UPDATE "IdempotencyRecord" SET "effectAt" = now() WHERE attempt = $1`, [attempt]);
  if (rowCount !== 1) throw stillRunning();
}

/** Takes `noteEffect` back, when the other side said that nothing happened. */
export async function withdrawEffect(attempt: string | undefined): Promise<void> {
  if (attempt) await pool().query(`UPDATE "IdempotencyRecord" SET "effectAt" = NULL WHERE attempt = $1 AND state = 'running'`, [attempt]);
}

/** Keeps the answer for whoever asks again; null for one that cannot be given again. */
export async function keepAnswer(attempt: string, answer: KeptAnswer | null): Promise<void> {
  letGo(attempt);
  await pool().query(`UPDATE "IdempotencyRecord" SET state = $2::"AttemptState", status = $3, headers = $4::jsonb, body = $5 WHERE attempt = $1 AND state = 'running'`,
    [attempt, answer ? "answered" : "unrepeatable", answer?.status ?? null, answer ? JSON.stringify(answer.headers) : null, answer?.body ?? null]);
}

/** After a failure: forgotten when nothing happened, so that the same name may try again; else it cannot be repeated. */
export async function endFailedAttempt(attempt: string): Promise<void> {
  letGo(attempt);
  await pool().query(`WITH gone AS (DELETE FROM "IdempotencyRecord" WHERE attempt = $1 AND "effectAt" IS NULL AND state = 'running')
    UPDATE "IdempotencyRecord" SET state = 'unrepeatable' WHERE attempt = $1 AND "effectAt" IS NOT NULL AND state = 'running'`, [attempt]);
}

export const attemptCleanupJob = { name: "attempts.forget", payload: z.object({}) };

/** @returns how many names were forgotten because their day is over. */
export async function forgetOldAttempts(): Promise<number> {
  const { rowCount } = await pool().query(`DELETE FROM "IdempotencyRecord" WHERE id IN (SELECT id FROM "IdempotencyRecord" WHERE "expiresAt" <= now() LIMIT 10000)`);
  return rowCount ?? 0;
}

const alive = new Set<string>();
let timer: NodeJS.Timeout | undefined;

function keepAlive(attempt: string): void {
  alive.add(attempt);
  timer ??= setInterval(() => void renew(), renewEveryMs).unref();
}

function letGo(attempt: string): void {
  alive.delete(attempt);
  if (alive.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

async function renew(): Promise<void> {
  await pool().query(`UPDATE "IdempotencyRecord" SET "leaseUntil" = now() + make_interval(secs => $2) WHERE attempt = ANY($1::uuid[]) AND state = 'running'`, [[...alive], leaseSeconds])
    .catch((error: unknown) => logger.warn({ err: error }, "named attempts could not be renewed"));
}
