import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RedisServer, startRedis } from "@/dev/lib/redis";
import { type Link, openLink } from "@/dev/testing/link";
import { env, setEnv } from "./env";
import { defineScript, runScript } from "./records";
import { connectTo } from "./redis-connect";
import { closeRedis, isRedisDown, redis, redisReady, redisRunId, withRedis } from "./redis";

// Two servers behind one address, as before and after a fail-over.
const folder = mkdtempSync(join("/var/tmp", "sluice-two-redis-"));
const base = env();
let before: RedisServer;
let after: RedisServer;
let link: Link;

beforeAll(async () => {
  [before, after] = await Promise.all([startRedis(join(folder, "before"), { throwaway: true }), startRedis(join(folder, "after"), { throwaway: true })]);
  link = await openLink(before.port);
  setEnv({ ...base, REDIS_URL: `redis://127.0.0.1:${link.port}` });
  await closeRedis();
});

afterAll(async () => {
  await closeRedis();
  setEnv(base);
  await link.close();
  await Promise.all([before.stop(), after.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

it("an answer that arrived while this process was busy counts, however long that took", async () => {
  // Not by the link, which is in this process and as busy.
  const direct = connectTo(before.url, { commandTimeout: 200 });
  await direct.ping();
  const answer = direct.set("busy", "1");
  for (const until = performance.now() + 500; performance.now() < until;);
  expect(await answer).toBe("OK");
  direct.disconnect();
});

it("a command without an answer fails in time", async () => {
  const silent = await openLink(before.port);
  const client = connectTo(`redis://127.0.0.1:${silent.port}`, { commandTimeout: 200, retryStrategy: () => null });
  await client.ping();
  silent.freeze();
  const askedAt = performance.now();
  await expect(client.ping()).rejects.toThrow("Command timed out");
  expect(performance.now() - askedAt).toBeGreaterThan(190);
  client.disconnect();
  await silent.close();
});

it("what was under way when the connection broke is not said again to the Redis that answers next, whose run_id is another", async () => {
  const runId = await redisRunId();
  link.freeze();
  const underWay = redis().set("told", runId);
  link.retarget(after.port);
  link.cut();
  link.resume();
  await expect(underWay).rejects.toSatisfy(isRedisDown);
  await redisReady();
  expect(await redis().ping()).toBe("PONG");
  expect(await redis().exists("told")).toBe(0);
  expect(await redisRunId()).not.toBe(runId);
});

it("a Redis whose machine vanished without a word is given up after seconds, and whoever has taken over is asked", async () => {
  const runId = await redisRunId();
  link.retarget(before.port);
  link.abandon();
  await expect(redis().ping()).rejects.toThrow("Command timed out");
  await expect.poll(() => redis().ping().catch(() => "away"), { timeout: 10_000 }).toBe("PONG");
  expect(await redisRunId()).not.toBe(runId);
  link.retarget(after.port);
  link.cut();
  link.resume();
  await redisReady();
});

it("a primary that has lost its replicas, and was told to want them, is a store that is away", async () => {
  const admin = new Redis(after.url);
  await admin.config("SET", "min-replicas-to-write", "1");
  await expect(withRedis((client) => client.set("a", "b"))).rejects.toMatchObject({ code: "store_unavailable" });
  await admin.config("SET", "min-replicas-to-write", "0");
  admin.disconnect();
  await withRedis((client) => client.set("a", "b"));
});

it("a Redis whose memory is full takes no writes, and is a store that is away", async () => {
  const admin = new Redis(after.url);
  await admin.config("SET", "maxmemory", "1");
  const script = defineScript("return redis.call('SET', KEYS[1], 'b')");
  for (const write of [(client: Redis) => client.set("a", "b"), (client: Redis) => runScript(client, script, ["a"], [])]) await expect(withRedis<unknown>(write)).rejects.toMatchObject({ code: "store_unavailable" });
  await admin.config("SET", "maxmemory", "0");
  admin.disconnect();
  await withRedis((client) => client.set("a", "b"));
});
