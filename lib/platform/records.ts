import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import { pool, type Tx } from "./db";
import { storeUnavailable } from "./errors";
import { newId } from "./ids";
import { logger } from "./logger";
import { redis, redisRunId, withRedis } from "./redis";

/**
 * Short-lived copies in Redis of rows that the key check reads. PostgreSQL is the truth; a copy lives 60 s at most,
 * carries the `run_id` of the Redis that it was written to, and is dropped by `invalidate` when its row changes.
 * A floor (the row's new version) stays behind for a while, so that a slow reader cannot write the old copy back.
 */
export const recordTtlSeconds = 60;
const floorTtlSeconds = 300;
/** What ended longer ago needs no dropping again when somebody says it again: the copies have ended by themselves, and no reader is that slow. */
export const repeatedWithinSeconds = floorTtlSeconds;

/** A script that is loaded again by itself when Redis has forgotten it (restart, fail-over, SCRIPT FLUSH). */
export type Script = { source: string; sha: string };

export function defineScript(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

export async function runScript(client: Redis, script: Script, keys: string[], args: (string | number | Buffer)[]): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return client.eval(script.source, keys.length, ...keys, ...args);
  }
}

const write = defineScript(`
local floor = redis.call('GET', KEYS[2])
if floor and tonumber(floor) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1`);

const drop = defineScript(`
local floor = redis.call('GET', KEYS[2])
if not floor or tonumber(floor) < tonumber(ARGV[1]) then redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2]) end
return redis.call('DEL', KEYS[1])`);

const floorKey = (key: string) => `${key}:x`;

/**
 * Remembers a row's packed copy as `<run_id>|<packed>`.
 *
 * @param options.runId asked for *before* the row was read: if Redis restarted in between it lost its floors, and the
 *   copy of a row that has changed meanwhile must count as a miss there.
 * @returns false when a newer version is known, and then nothing was written.
 */
export async function writeRecord(key: string, version: number, packed: string, options: { runId?: string; ttlSeconds?: number } = {}): Promise<boolean> {
  const runId = options.runId ?? (await redisRunId());
  return (await runScript(redis(), write, [key, floorKey(key)], [version, `${runId}|${packed}`, options.ttlSeconds ?? recordTtlSeconds])) === 1;
}

/** @returns the packed copy, or null when there is none from this Redis. */
export async function readRecord(key: string): Promise<string | null> {
  const [value, runId] = await withRedis(async (client) => Promise.all([client.get(key), redisRunId()]));
  return value?.startsWith(`${runId}|`) ? value.slice(runId.length + 1) : null;
}

export type StaleRecord = { key: string; version: number };
export const StaleRecords = z.array(z.object({ key: z.string().max(300), version: z.int() })).max(10_000);

/** An intention written in the transaction of the change; `confirmInvalidation` carries it out after the commit. */
export type PendingInvalidation = { outboxId: string; records: StaleRecord[] };

export const invalidationKind = "records.invalidate";
const claimMax = 100;

/** To be called in the transaction that changes the rows: if we die after the commit, the outbox finishes the work. */
export async function planInvalidation(tx: Tx, records: StaleRecord[]): Promise<PendingInvalidation> {
  const outboxId = newId();
  await tx.outbox.create({ data: { id: outboxId, kind: invalidationKind, payload: records } });
  return { outboxId, records };
}

/** Drops the copies on every replica at once. @throws SluiceError `store_unavailable` when Redis does not confirm; the outbox then goes on. */
export async function confirmInvalidation(pending: PendingInvalidation): Promise<void> {
  await invalidate(pending.records);
  // Not confirming this only makes the outbox do the same once more, which changes nothing.
  await pool().query('UPDATE "Outbox" SET "doneAt" = now() WHERE id = $1', [pending.outboxId]).catch(() => undefined);
}

type DueRow = { id: string; payload: unknown; attempts: number };

/**
 * Carries out invalidations that nobody has confirmed: their process died, or Redis was away. A row is claimed by moving
 * its due time on, so that several workers share the work and a worker's death only delays it. Goes on until nothing is
 * due, since a revoker that was cut off for a while leaves thousands behind. Safe to run at any time.
 *
 * @returns how many were finished.
 */
export async function finishInvalidations(): Promise<number> {
  let finished = 0;
  for (;;) {
    const round = await finishSome();
    finished += round.finished;
    // What failed has its next time; as long as Redis is away, the rest would fail as well.
    if (round.claimed < claimMax || round.finished < round.claimed) break;
  }
  await pool().query(`DELETE FROM "Outbox" WHERE kind = $1 AND "doneAt" < now() - interval '1 day'`, [invalidationKind]);
  return finished;
}

async function finishSome(): Promise<{ claimed: number; finished: number }> {
  const { rows } = await pool().query<DueRow>(
    `UPDATE "Outbox" SET attempts = attempts + 1, "dueAt" = now() + least(300, 2 ^ least(attempts, 8)) * interval '1 second'
     WHERE id IN (SELECT id FROM "Outbox" WHERE kind = $1 AND "doneAt" IS NULL AND "dueAt" <= now() ORDER BY "dueAt" LIMIT ${claimMax} FOR UPDATE SKIP LOCKED)
     RETURNING id, payload, attempts`,
    [invalidationKind],
  );
  let finished = 0;
  for (const row of rows) {
    const records = StaleRecords.safeParse(row.payload);
    try {
      if (!records.success) throw records.error;
      await invalidate(records.data);
      await pool().query('UPDATE "Outbox" SET "doneAt" = now(), "lastError" = NULL WHERE id = $1', [row.id]);
      finished += 1;
    } catch (error) {
      logger.warn({ err: error, outboxId: row.id, attempts: row.attempts }, "an invalidation is still not confirmed");
      await pool().query('UPDATE "Outbox" SET "lastError" = $2 WHERE id = $1', [row.id, String(error).slice(0, 500)]);
    }
  }
  return { claimed: rows.length, finished };
}

export async function invalidate(records: StaleRecord[]): Promise<void> {
  try {
    await withRedis(async (client) => {
      for (const record of records) await runScript(client, drop, [record.key, floorKey(record.key)], [record.version, floorTtlSeconds]);
    });
  } catch (error) {
    throw storeUnavailable(error);
  }
}
