import { z } from "zod";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { now } from "@/lib/platform/clock";
import { pool } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { logger } from "@/lib/platform/logger";

/** To run every hour: tomorrow's partition must be there before tomorrow is. */
export const requestLogJob = { name: "usage.request-log", payload: z.object({}) };

const dayMs = 86_400_000;
const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);
const nameOf = (day: string) => `RequestLog_${day.replaceAll("-", "")}`;
/** Days whose partition this process has seen. */
const seen = new Set<string>();

/** Makes the request log's partitions for the coming days, and drops those in which every row is older than it is kept. */
export async function keepRequestLog(): Promise<{ dropped: string[] }> {
  await ensurePartitions([0, 1, 2].map((days) => now() + days * dayMs));
  const dropped: string[] = [];
  for (const { name, day } of await listPartitions()) {
    if (Date.parse(day) + dayMs > now() - env().REQUEST_LOG_DAYS * dayMs) continue;
    if (await drop(name)) dropped.push(name);
  }
  if (dropped.length) logger.info({ dropped }, "old requests are dropped");
  return { dropped };
}

/** A partition for each day of these times (ms). Outside of the transaction that writes, and in a moment when it is there already. */
export async function ensurePartitions(times: number[]): Promise<void> {
  const days = [...new Set(times.map(dayOf))].filter((day) => !seen.has(day));
  for (const day of days) {
    await make(day);
    seen.add(day);
  }
}

export function forgetPartitions(): void {
  seen.clear();
}

export async function listPartitions(): Promise<{ name: string; day: string }[]> {
  const { rows } = await pool().query<{ name: string }>(`SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '"RequestLog"'::regclass ORDER BY 1`);
  return rows.flatMap(({ name }) => {
    const [, year, month, day] = /^RequestLog_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
    return year ? [{ name, day: `${year}-${month}-${day}` }] : [];
  });
}

/** Made aside and then attached: that lets reading and writing of the other days go on, which `PARTITION OF` would not. One statement list is one transaction. */
async function make(day: string): Promise<void> {
  const table = `"${nameOf(day)}"`;
  const { rows: [found] } = await pool().query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
  if (found?.there) return;
  const next = dayOf(Date.parse(day) + dayMs);
  await pool().query(`DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(${advisoryLocks.requestLogPartitions});
    IF to_regclass('${table}') IS NULL THEN
      CREATE TABLE ${table} (LIKE "RequestLog" INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
      ALTER TABLE "RequestLog" ATTACH PARTITION ${table} FOR VALUES FROM ('${day}T00:00:00Z') TO ('${next}T00:00:00Z');
    END IF;
  END $$`).catch((error: unknown) => {
    // PostgreSQL may not have heard yet of what another process has made the moment before, and then refuses to make it again.
    if (!(error instanceof Error && "code" in error && error.code === "42P07")) throw error;
  });
}

/** Dropping locks the whole log: whoever reads it for long is not waited for, since all others would wait behind us. */
async function drop(name: string): Promise<boolean> {
  const client = await pool().connect();
  // A connection that is lost while it is ours would otherwise end the process; the next statement fails by itself.
  const lost = () => undefined;
  client.on("error", lost);
  try {
    await client.query("SET lock_timeout = '2s'");
    await client.query(`DROP TABLE "${name}"`);
    return true;
  } catch (error) {
    logger.warn({ err: error, partition: name }, "an old partition could not be dropped; the next run tries again");
    return false;
  } finally {
    await client.query("RESET lock_timeout").catch(() => undefined);
    client.off("error", lost);
    client.release();
    seen.clear();
  }
}
