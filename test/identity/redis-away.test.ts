import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, expect, it } from "vitest";
import { startRedis } from "../../dev/lib/redis";
import { startSentinelSet } from "../../dev/lib/redis-sentinel";
import { call, control, keyOf, resetParts, revoke } from "../http/client";
import { startReplica } from "../http/replica";
import { anExpiredSession, answers, aSession, copyTo, search } from "./fleet";
import { refreshesSince } from "./ledger";

const folder = mkdtempSync("/var/tmp/sluice-redis-away-");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("Redis stopped and started again costs nobody a sign-in: 503 within a second, the cookie untouched, and then all goes on", async () => {
  let redis = await startRedis(join(folder, "kept"));
  const replica = await startReplica({ REDIS_URL: redis.url });
  const client = new Redis(redis.url);
  client.on("error", () => undefined);
  const session = await aSession();
  await copyTo(client, session);
  expect(answers([await search(replica, session)])).toEqual(["200"]);
  const { port } = redis;
  await redis.stop();
  const askedAt = Date.now();
  const away = await search(replica, session);
  expect(answers([away])).toEqual(["503 store_unavailable"]);
  expect(Date.now() - askedAt).toBeLessThanOrEqual(1000);
  expect(away.headers.getSetCookie()).toEqual([]);
  const health = (path: string) => call(replica.url, "GET", `/api/health/${path}`);
  expect([(await health("live")).status, (await health("ready")).status]).toEqual([200, 503]);
  redis = await startRedis(join(folder, "kept"), { port });
  await expect.poll(async () => (await search(replica, session)).status, { timeout: 20_000 }).toBe(200);

  // Emptied: people sign in again, owners of keys do not give anything again.
  const key = await keyOf("uma", { permissions: ["nflow:read"] });
  await client.flushall();
  expect(answers([await search(replica, session)])).toEqual(["401 session_expired"]);
  expect(answers([await search(replica, { key: key.key })])).toEqual(["200"]);
  await revoke("uma", key.id);
  client.disconnect();
  await replica.stop();
  await redis.stop();
});

it("a fail-over in the middle of a refresh is some seconds of 503, and the session and its new token are there afterwards", async () => {
  const set = await startSentinelSet(join(folder, "sentinels"));
  const replica = await startReplica({ REDIS_URL: set.url });
  try {
    // Whoever loses a token under this setting is signed out by the next refresh.
    await control("identity", { reset: true, revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const session = await anExpiredSession();
    const primary = new Redis((await set.primary()).port);
    primary.on("error", () => undefined);
    await copyTo(primary, session);
    await primary.wait(2, 2000);
    primary.disconnect();
    const from = Date.now();
    // Keycloak has done its work when the primary ends, and its answer comes while there is none. What it gives counts as over at once, so every later call needs the token that was rotated last.
    await control("identity", { tokenHoldMs: 1000, tokenTimes: 1, tokenGrants: ["refresh_token"], tokenExpiresIn: 0 });
    const refreshing = search(replica, session);
    await expect.poll(async () => (await refreshesSince(from)).granted, { timeout: 20_000, interval: 20 }).toBe(1);
    let meanwhile: ReturnType<typeof search> | undefined;
    await set.killPrimary(() => { meanwhile = search(replica, session); });
    expect(answers([await meanwhile!])).toEqual(["503 store_unavailable"]);
    const seen = new Set(answers([await refreshing]));
    await expect.poll(async () => {
      const answer = await search(replica, session);
      expect(answer.headers.getSetCookie()).toEqual([]);
      const [said = ""] = answers([answer]);
      seen.add(said);
      return said;
    }, { timeout: 30_000, interval: 100 }).toBe("200");
    const { sent, granted, refused } = await refreshesSince(from);
    expect([granted, refused]).toEqual([sent, 0]);
    expect(sent).toBeGreaterThanOrEqual(2);
    for (const said of seen) expect(["200", "503 store_unavailable", "503 identity_unavailable"]).toContain(said);
    expect((await call(replica.url, "GET", "/api/health/live")).status).toBe(200);
  } finally {
    await resetParts();
    await replica.stop();
    await set.stop();
  }
});
