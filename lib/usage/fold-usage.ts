import type { PoolClient } from "pg";
import { z } from "zod";
import { pool } from "@/lib/platform/db";
import { isUuid } from "@/lib/platform/ids";
import { withRedis } from "@/lib/platform/redis";
import { type CallRow, unpackCalls } from "./call-record";
import { countKeys } from "./count-keys";
import { logCalls } from "./log-calls";
import { ensurePartitions, forgetPartitions } from "./partitions";
import { rollUp } from "./roll-up";
import { admitted, type Check, earlierMark, usageStream } from "./stream";

/** To run every second, so that counters are there at most 2 s after the call. */
export const usageFoldJob = { name: "usage.fold", payload: z.object({}) };

const batchEntries = 1000;
/** What one transaction carries at most, give or take an entry: it must end long before anybody else would take it up. */
const batchItems = 10_000;

type Entry = { id: string; checks: Check[]; calls: CallRow[] };

/**
 * Carries usage events from the stream into the keys' counters and times, the rollups by hour and the request log. How far it
 * came is written in the transaction that counts, so an entry counts once whatever dies, and however many workers run it
 * at once: who finds the cursor moved goes on from where it stands. When this is done, all that was in the stream at its beginning is counted.
 *
 * @returns how many entries were counted.
 * @throws SluiceError `store_unavailable` when Redis is away.
 */
export async function foldUsage(): Promise<number> {
  let folded = 0;
  for (;;) {
    const from = await readCursor();
    const { entries, more } = await readEntries(from);
    const last = entries.at(-1);
    if (!last) return folded;
    if (!(await count(from, last.id, entries))) continue;
    folded += entries.length;
    // Only now: a crash before this leaves entries that the cursor already covers.
    await withRedis((client) => client.xtrim(usageStream, "MINID", last.id));
    if (!more) return folded;
  }
}

async function readCursor(): Promise<string> {
  const { rows } = await pool().query<{ lastId: string }>('SELECT "lastId" FROM "UsageCursor" WHERE stream = $1', [usageStream]);
  if (rows[0]) return rows[0].lastId;
  await pool().query('INSERT INTO "UsageCursor" (stream, "lastId") VALUES ($1, $2) ON CONFLICT DO NOTHING', [usageStream, "0-0"]);
  return "0-0";
}

async function readEntries(after: string): Promise<{ entries: Entry[]; more: boolean }> {
  const raw = await withRedis((client) => client.xrange(usageStream, `(${after}`, "+", "COUNT", batchEntries));
  const entries: Entry[] = [];
  let items = 0;
  for (const [id, fields] of raw) {
    const entry = readEntry(id, fields);
    entries.push(entry);
    items += entry.checks.length + entry.calls.length;
    if (items >= batchItems) break;
  }
  return { entries, more: entries.length < raw.length || raw.length === batchEntries };
}

function readEntry(id: string, fields: string[]): Entry {
  const atMs = Number(id.split("-")[0]);
  const field = (name: string) => (fields[0] === name ? fields[1] : undefined);
  const checks = (field("c") ?? "").split(",").flatMap((part): Check[] => {
    const keyId = part.slice(0, 36);
    const code = part.slice(37);
    return isUuid(keyId) ? [{ atMs, keyId, admitted: code === admitted || code === admitted + earlierMark, earlierSecret: code === admitted + earlierMark }] : [];
  });
  const calls = unpackCalls(field("l") ?? "[]");
  for (const call of calls) call.atMs = plausible(call.atMs, atMs);
  return { id, checks, calls };
}

/** A call is told when it has ended, at most some hours after it came; a clock that is far off must not make partitions. */
function plausible(atMs: number, toldAtMs: number): number {
  return atMs > toldAtMs - 24 * 3_600_000 && atMs < toldAtMs + 3_600_000 ? atMs : toldAtMs;
}

/** @returns false when another worker has moved the cursor meanwhile, and then nothing was counted. */
async function count(from: string, to: string, entries: Entry[]): Promise<boolean> {
  const checks = entries.flatMap((entry) => entry.checks);
  const calls = entries.flatMap((entry) => entry.calls);
  await ensurePartitions(calls.map((call) => call.atMs));
  const client = await pool().connect();
  // A connection that is lost while it is ours would otherwise end the process; the next statement fails by itself.
  const lost = () => undefined;
  client.on("error", lost);
  try {
    await client.query("BEGIN");
    const moved = await client.query('UPDATE "UsageCursor" SET "lastId" = $3 WHERE stream = $1 AND "lastId" = $2', [usageStream, from, to]);
    if (moved.rowCount === 1) await fold(client, checks, calls);
    await client.query("COMMIT");
    return moved.rowCount === 1;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    // A partition that we remember may have been dropped by hand: look again next time.
    forgetPartitions();
    throw error;
  } finally {
    client.off("error", lost);
    client.release();
  }
}

async function fold(client: PoolClient, checks: Check[], calls: CallRow[]): Promise<void> {
  await countKeys(client, checks, calls);
  await rollUp(client, checks, calls);
  await logCalls(client, calls);
}
