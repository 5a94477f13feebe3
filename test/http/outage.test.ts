import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startRedis, type RedisServer } from "../../dev/lib/redis";
import { call, demo, keyOf, revoke, signIn } from "./client";
import { type Replica, startReplica } from "./replica";

// A process with a Redis of its own, so that taking it away harms nobody else.
const folder = mkdtempSync("/var/tmp/sluice-outage-");
let redis: RedisServer;
let replica: Replica;
let key: { id: string; key: string };
let cookie: string;

beforeAll(async () => {
  redis = await startRedis(join(folder, "redis"));
  replica = await startReplica({ REDIS_URL: redis.url });
  key = await keyOf("uma", { permissions: ["write"], rateLimit: { requests: 100, window: 60 } });
  cookie = (await signIn("uma")).cookies(demo.url);
});

afterAll(async () => {
  await replica.stop();
  await redis.stop();
  await revoke("uma", key.id);
  rmSync(folder, { recursive: true, force: true });
});

it("with Redis away keys are checked from PostgreSQL at a fraction of their limit, and everything else is a quick 503", async () => {
  expect((await call(replica.url, "GET", "/api/v1/auth/me", { key: key.key })).headers.get("x-sluice-degraded")).toBeNull();
  const { port } = redis;
  await redis.stop();

  const me = await call(replica.url, "GET", "/api/v1/auth/me", { key: key.key });
  expect([me.status, me.headers.get("x-sluice-degraded"), me.headers.get("x-ratelimit-limit"), me.headers.get("x-ratelimit-remaining")]).toEqual([200, "limits", "10", "9"]);
  const many = await Promise.all(Array.from({ length: 30 }, () => call(replica.url, "GET", "/api/v1/auth/me", { key: key.key })));
  expect(many.filter((a) => a.status === 200).length).toBeLessThanOrEqual(10);
  expect(many.every((a) => a.status === 200 || a.status === 429)).toBe(true);

  const asked = Date.now();
  const session = await call(replica.url, "GET", "/api/v1/auth/me", { cookie });
  expect([session.status, session.json.code]).toEqual([503, "store_unavailable"]);
  expect(Date.now() - asked).toBeLessThan(1500);
  expect(session.headers.getSetCookie()).toEqual([]);
  expect(Number(session.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect((await call(replica.url, "GET", "/api/health/live")).status).toBe(200);
  const ready = await call(replica.url, "GET", "/api/health/ready");
  expect([ready.status, ready.json.checks.redis.status, ready.json.checks.database.status]).toEqual([503, "failed", "ok"]);

  redis = await startRedis(join(folder, "redis"), { port });
  await expect.poll(async () => (await call(replica.url, "GET", "/api/health/ready")).status, { timeout: 10_000 }).toBe(200);
  await expect.poll(async () => (await call(replica.url, "GET", "/api/v1/auth/me", { key: key.key })).headers.get("x-sluice-degraded"), { timeout: 10_000 }).toBeNull();
});

it("a key revoked while its process was cut off from Redis is refused there too", async () => {
  const doomed = await keyOf("uma");
  expect((await call(replica.url, "GET", "/api/v1/auth/me", { key: doomed.key })).status).toBe(200);
  const { port } = redis;
  await redis.stop();
  await revoke("uma", doomed.id);
  const refused = await call(replica.url, "GET", "/api/v1/auth/me", { key: doomed.key });
  expect([refused.status, refused.json.code]).toEqual([401, "key_revoked"]);
  redis = await startRedis(join(folder, "redis"), { port });
  await expect.poll(async () => (await call(replica.url, "GET", "/api/v1/auth/me", { key: doomed.key })).json.code, { timeout: 10_000 }).toBe("key_revoked");
});
