import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "bullmq";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type SentinelSet, startSentinelSet } from "@/dev/lib/redis-sentinel";
import { redisArea } from "@/ops/doctor/areas/redis";
import { runArea } from "@/ops/doctor/check";
import { env, setEnv } from "./env";
import { closeQueue, queue, queuePrefix } from "./queue";
import { closeRedis, newRedis, redisRunId, withRedis } from "./redis";

const folder = mkdtempSync(join("/var/tmp", "sluice-sentinel-"));
const base = env();
let set: SentinelSet;

beforeAll(async () => {
  set = await startSentinelSet(folder);
  setEnv({ ...base, REDIS_URL: set.url });
  await closeRedis();
});

afterAll(async () => {
  await Promise.all([closeQueue(), closeRedis()]);
  setEnv(base);
  await set.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("the primary is found through its Sentinels, and after a fail-over its successor, by the client and by the queue, without a restart", async () => {
  const before = await set.primary();
  expect(await redisRunId()).toBe(before.runId);
  await withRedis((client) => client.set("before", "1"));
  const worked: string[] = [];
  const connection = newRedis({ blocking: true });
  const worker = new Worker(queue().name, async (job) => { worked.push(job.name); }, { connection, prefix: queuePrefix });
  worker.on("error", () => undefined);
  await queue().add("one", {});
  await expect.poll(() => worked, { timeout: 10_000 }).toEqual(["one"]);

  await set.killPrimary();
  await expect.poll(() => redisRunId().catch(() => before.runId), { timeout: 10_000 }).not.toBe(before.runId);
  expect(await redisRunId()).toBe((await set.primary()).runId);
  await expect.poll(() => withRedis((client) => client.set("after", "1")).catch(() => "away"), { timeout: 10_000 }).toBe("OK");
  await queue().add("two", {});
  await expect.poll(() => worked, { timeout: 15_000 }).toEqual(["one", "two"]);
  await worker.close();
  connection.disconnect();
});

it("the doctor asks the Sentinels, and says what is amiss", async () => {
  const findings = await runArea(redisArea(env()));
  expect(findings.filter((f) => f.outcome !== "passed").map((f) => f.check)).toEqual(["keeps its data"]);
  expect(findings.find((f) => f.check === "its Sentinels agree")).toMatchObject({ detail: expect.stringMatching(/^3 name 127\.0\.0\.1:\d+$/) });
  expect(findings.find((f) => f.check === "a primary that is cut off stops")).toMatchObject({ detail: "without 1 replica for 1 s it takes no writes" });
  const stranger = await runArea(redisArea({ ...env(), REDIS_URL: set.url.replace("/main", "/other") }));
  expect(stranger.find((f) => f.check === "its Sentinels agree")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("3 of 3") });
});
