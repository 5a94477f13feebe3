import type { PoolClient } from "pg";
import { z } from "zod";
import { pool } from "@/lib/platform/db";
import { isUuid } from "@/lib/platform/ids";
import { withRedis } from "@/lib/platform/redis";
import { admitted, usageStream } from "./stream";

/** To run every second, so that counters are there at most 2 s after the call. */
export const usageFoldJob = { name: "usage.fold", payload: z.object({}) };

const batchEntries = 2000;
type Entry = { id: string; atMs: number; checks: { keyId: string; code: string }[] };
type Counts = { requests: number; usedAtMs: number | null; requestAtMs: number };

/**
 * Carries usage events from the stream into the keys' counters and times. How far it came is written in the
 * transaction that counts, so an entry counts once whatever dies, and however many workers run it at once: who finds
 * the cursor moved leaves the work to the other.
 *
 * @returns how many entries were counted.
 * @throws SluiceError `store_unavailable` when Redis is away.
 */
export async function foldUsage(): Promise<number> {
  let folded = 0;
  for (;;) {
    const from = await readCursor();
    const entries = await readEntries(from);
    const last = entries.at(-1);
    if (!last || !(await count(from, last.id, countsOf(entries)))) return folded;
    folded += entries.length;
    // Only now: a crash before this leaves entries that the cursor already covers.
    await withRedis((client) => client.xtrim(usageStream, "MINID", last.id));
    if (entries.length < batchEntries) return folded;
  }
}

async function readCursor(): Promise<string> {
  const { rows } = await pool().query<{ lastId: string }>('SELECT "lastId" FROM "UsageCursor" WHERE stream = $1', [usageStream]);
  if (rows[0]) return rows[0].lastId;
  await pool().query('INSERT INTO "UsageCursor" (stream, "lastId") VALUES ($1, $2) ON CONFLICT DO NOTHING', [usageStream, "0-0"]);
  return "0-0";
}

async function readEntries(after: string): Promise<Entry[]> {
  const raw = await withRedis((client) => client.xrange(usageStream, `(${after}`, "+", "COUNT", batchEntries));
  return raw.map(([id, fields]) => {
    const checks = fields[fields.indexOf("c") + 1] ?? "";
    return { id, atMs: Number(id.split("-")[0]), checks: checks.split(",").map((part) => ({ keyId: part.slice(0, 36), code: part.slice(37) })) };
  });
}

function countsOf(entries: Entry[]): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { atMs, checks } of entries) {
    for (const { keyId, code } of checks) {
      if (!isUuid(keyId)) continue;
      const known = counts.get(keyId) ?? { requests: 0, usedAtMs: null, requestAtMs: atMs };
      counts.set(keyId, code === admitted ? { requests: known.requests + 1, usedAtMs: atMs, requestAtMs: atMs } : { ...known, requestAtMs: atMs });
    }
  }
  return counts;
}

/** @returns false when another worker has moved the cursor meanwhile, and then nothing was counted. */
async function count(from: string, to: string, counts: Map<string, Counts>): Promise<boolean> {
  const client = await pool().connect();
  // A connection that is lost while it is ours would otherwise end the process; the next statement fails by itself.
  const lost = () => undefined;
  client.on("error", lost);
  try {
    await client.query("BEGIN");
    const moved = await client.query('UPDATE "UsageCursor" SET "lastId" = $3 WHERE stream = $1 AND "lastId" = $2', [usageStream, from, to]);
    if (moved.rowCount === 1) await addCounts(client, counts);
    await client.query("COMMIT");
    return moved.rowCount === 1;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    client.off("error", lost);
    client.release();
  }
}

async function addCounts(client: PoolClient, counts: Map<string, Counts>): Promise<void> {
  const ids = [...counts.keys()];
  const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : ms / 1000);
  // In the order of ids, as whoever else locks several keys does, so that the two cannot wait for one another.
  await client.query('SELECT 1 FROM "ApiKey" WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [ids]);
  await client.query(
    `UPDATE "ApiKey" k SET "requestCount" = k."requestCount" + v.requests, "lastUsedAt" = greatest(k."lastUsedAt", to_timestamp(v.used)),
       "lastRequestAt" = greatest(k."lastRequestAt", to_timestamp(v.requested))
     FROM unnest($1::uuid[], $2::bigint[], $3::float8[], $4::float8[]) AS v(id, requests, used, requested) WHERE k.id = v.id`,
    [ids, ids.map((id) => counts.get(id)?.requests ?? 0), ids.map((id) => seconds(counts.get(id)?.usedAtMs)), ids.map((id) => seconds(counts.get(id)?.requestAtMs))],
  );
}
