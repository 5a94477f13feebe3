import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { now } from "@/lib/platform/clock";
import { pool } from "@/lib/platform/db";
import { foldUsage, keepRequestLog } from ".";
import { ensurePartitions, forgetPartitions, listPartitions } from "./partitions";
import { aCall, addCalls, aKey, takeTurns } from "@/dev/testing/usage";

takeTurns();

const dayMs = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const days = async () => (await listPartitions()).map(({ day }) => day);

describe("the request log's partitions", () => {
  it("tomorrow's is there today, and what is older than thirty days is gone", async () => {
    await ensurePartitions([now() - 29 * dayMs, now() - 31 * dayMs, now() - 45 * dayMs]);
    await keepRequestLog();
    const there = await days();
    for (const kept of [0, 1, 2, -29]) expect(there).toContain(dayOf(now() + kept * dayMs));
    for (const gone of [-31, -45]) expect(there).not.toContain(dayOf(now() + gone * dayMs));
  });

  it("many may make the same one at once", async () => {
    const day = now() + 9 * dayMs;
    await Promise.all(Array.from({ length: 6 }, () => { forgetPartitions(); return ensurePartitions([day]); }));
    expect((await days()).filter((one) => one === dayOf(day))).toHaveLength(1);
  });

  it("a connection that is lost while a day is dropped costs that run, not the process", async () => {
    const day = now() - 40 * dayMs;
    await ensurePartitions([day]);
    const reader = new pg.Client({ connectionString: process.env.DATABASE_URL });
    await reader.connect();
    await reader.query(`BEGIN; SELECT count(*) FROM "RequestLog_${dayOf(day).replaceAll("-", "")}"`);
    const run = keepRequestLog();
    await vi.waitFor(async () => {
      const { rowCount } = await pool().query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'DROP TABLE "RequestLog_%'`);
      expect(rowCount).toBe(1);
    }, { timeout: 10_000, interval: 10 });
    expect((await run).dropped).toEqual([]);
    await reader.end();
    expect((await keepRequestLog()).dropped).toHaveLength(1);
  });

  it("a call of a day whose partition somebody dropped is logged all the same", async () => {
    const { id, person } = await aKey();
    await ensurePartitions([now()]);
    await pool().query(`DROP TABLE "RequestLog_${dayOf(now()).replaceAll("-", "")}"`);
    await addCalls(aCall(person, { apiKeyId: id }));
    await expect(foldUsage()).rejects.toThrow(/no partition/);
    await foldUsage();
    const { rows } = await pool().query('SELECT count(*)::int AS n FROM "RequestLog" WHERE "apiKeyId" = $1', [id]);
    expect(rows).toEqual([{ n: 1 }]);
  });
});
