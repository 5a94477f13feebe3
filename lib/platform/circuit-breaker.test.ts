import { randomUUID } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { enterBreaker, recordFailure, recordSuccess } from "./circuit-breaker";
import { retryAfterOf } from "./keycloak-discovery";
import { withRedis } from "./redis";

let key: string;
beforeEach(() => { key = `sl:test:cb:${randomUUID()}`; });

/** As if the pause had passed. */
const passTime = () => withRedis(async (client) => {
  for (const field of ["until", "asked"]) if (await client.hexists(key, field)) await client.hset(key, field, 1);
});

it("three failures in a row open it, one caller per pause may try, and a success closes it", async () => {
  await recordFailure(key);
  await recordFailure(key);
  expect(await enterBreaker(key)).toBe(0);
  await recordFailure(key);
  expect(await enterBreaker(key)).toBeGreaterThan(0);
  await passTime();
  expect(await enterBreaker(key)).toBe(0);
  expect(await enterBreaker(key)).toBeGreaterThan(0);
  await recordSuccess(key);
  expect(await enterBreaker(key)).toBe(0);
});

it("a pause that was asked for holds, also when a call that was under way succeeds meanwhile", async () => {
  await recordFailure(key, 5000);
  await recordSuccess(key);
  expect(await enterBreaker(key)).toBeGreaterThan(4000);
  await passTime();
  expect(await enterBreaker(key)).toBe(0);
  await recordSuccess(key);
  expect(await enterBreaker(key)).toBe(0);
});

it("a pause may be asked for in seconds or until a date", () => {
  expect(retryAfterOf("5")).toBe(5);
  const seconds = retryAfterOf(new Date(Date.now() + 30_000).toUTCString());
  expect(seconds).toBeGreaterThan(25);
  expect(seconds).toBeLessThanOrEqual(30);
  for (const nothing of [undefined, null, "", "soon", "0", "Wed, 21 Oct 2015 07:28:00 GMT"]) expect(retryAfterOf(nothing)).toBeNull();
});
