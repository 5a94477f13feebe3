import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type RedisServer, startRedis } from "../../dev/lib/redis";
import { newSecret } from "../../lib/keys/secret";
import { type Answer, type Fleet, type FleetKey, startFleet } from "../storm/fleet";

const folder = mkdtempSync("/var/tmp/sluice-limits-");
let redis: RedisServer;
let store: Redis;

beforeAll(async () => {
  redis = await startRedis(join(folder, "redis"), { throwaway: true });
  store = new Redis(redis.url);
});

afterAll(async () => {
  store.disconnect();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

const admitted = (answers: Answer[]) => answers.filter((a) => a.status === 200);
const remaining = (answer: Answer) => Number(answer.headers["x-ratelimit-remaining"]);
const policies = (answers: Answer[]) => [...new Set(answers.map((a) => String(a.headers["ratelimit-policy"])))];

describe("limits of key, owner and tenant, on three processes at once", () => {
  let fleet: Fleet;
  let turn = 0;
  /** All at once, to every process in turn. */
  const burst = (key: FleetKey, calls: number) => Promise.all(Array.from({ length: calls }, () => fleet.ask(turn++ % 3, key)));

  beforeAll(async () => { fleet = await startFleet(inject("webEnv"), redis, { env: { USER_RATE_LIMIT: "1000/3600", TENANT_RATE_LIMIT: "1600/3600", WORKER: "off" } }); });
  afterAll(() => fleet.stop());

  /** On a machine with so much else to do that Redis seems away, processes count alone and say so. That tells nothing of limits: they begin anew, and so does the question. */
  const answeredWhole = async (ask: (burst: (key: FleetKey, calls: number) => Promise<Answer[]>) => Promise<void>) => {
    for (let tries = 1; ; tries++) {
      const seen: Answer[] = [];
      const watched = async (key: FleetKey, calls: number) => {
        const answers = await burst(key, calls);
        seen.push(...answers);
        return answers;
      };
      try {
        return await ask(watched);
      } catch (error) {
        if (tries === 5 || !seen.some((answer) => answer.degraded)) throw error;
        for (const member of fleet.members.keys()) await expect.poll(async () => (await fleet.ask(member, fleet.manager)).degraded, { timeout: 20_000 }).toBe(false);
        await beginAnew();
      }
    }
  };
  const beginAnew = async () => { for (const name of await store.keys("sl:l:*")) await store.del(name); };
  const until = (at: number) => new Promise((done) => setTimeout(done, Math.max(0, Math.ceil(at - performance.now()) + 1)));

  it("a burst admits exactly what the tightest of them leaves, whichever process it comes to, and no two are told the same rest", () => answeredWhole(async (burst) => {
    const spent: Answer[] = [];
    for (const [requests, left] of [[128, 128], [129, 129], [900, 743]] as const) {
      const [key] = await fleet.makeKeys(1, { requests }) as [FleetKey];
      const answers = await burst(key, requests + 60);
      expect(admitted(answers)).toHaveLength(left);
      expect(answers.filter((a) => a.status === 429 && a.code === "rate_limited")).toHaveLength(requests + 60 - left);
      expect(admitted(answers).map(remaining).sort((a, b) => a - b)).toEqual(Array.from({ length: left }, (_, i) => i));
      spent.push(...admitted(answers));
      expect(policies(answers.filter((a) => a.status === 429))).toEqual([left === requests ? `"key";q=${requests};w=3600` : '"user";q=1000;w=3600']);
    }
    expect(spent).toHaveLength(1000);

    const neighbour = await fleet.neighbour();
    const [theirs] = await fleet.makeKeys(1, { owner: neighbour, requests: 1000 }) as [FleetKey];
    const answers = await burst(theirs, 700);
    expect(admitted(answers)).toHaveLength(600);
    expect(policies(answers.filter((a) => a.status === 429))).toEqual(['"tenant";q=1600;w=3600']);
  }), 180_000);

  it("what one limit refuses takes nothing from the others", async () => {
    // The owner and the tenant have nothing left: a new key is refused, and keeps what it has.
    const [fresh] = await fleet.makeKeys(1, { requests: 50 }) as [FleetKey];
    expect(admitted(await burst(fresh, 30))).toEqual([]);
    expect(await store.keys(`sl:l:k:${fresh.id}:*`)).toEqual([]);
  });

  it("the state of every limit goes by itself, a fortieth after its window at the latest", async () => {
    const names = await store.keys("sl:l:*");
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      const ttl = await store.pttl(name);
      const windowMs = Number(/:(\d+):[eb]$/.exec(name)?.[1]) * 1000;
      expect(ttl, name).toBeGreaterThan(0);
      expect(ttl, name).toBeLessThanOrEqual(windowMs * 41 / 40 + 1000);
    }
  });

  it("no stretch of one window sees more than the limit, not even across the edge of a window by the clock; and after Retry-After the next call is admitted, by another process", () => answeredWhole(async (burst) => {
    await beginAnew();
    const windowMs = 2000;
    const flood = async (requests: number, most: number) => {
      const [key] = await fleet.makeKeys(1, { requests, window: windowMs / 1000 }) as [FleetKey];
      // What counts by the clock's own windows would let the limit in twice: before one ends, and when the next begins.
      const begin = performance.now() + (2 * windowMs - (Date.now() + windowMs / 2) % windowMs) % windowMs;
      await until(begin);
      const answers: Answer[] = [];
      // Until the budget of the next window was spent as well, in part.
      while (performance.now() < begin + 1.2 * windowMs || admitted(answers).length <= requests) answers.push(...await burst(key, requests + 4));
      // Each was admitted at some moment between its two ends: what lies in the stretch with both of them was surely admitted there.
      const good = admitted(answers);
      const within = ({ sentAt: from }: Answer) => good.filter(({ sentAt, receivedAt }) => sentAt >= from && receivedAt < from + windowMs).length;
      expect(Math.max(...good.map(within)), `${requests} per window`).toBeLessThanOrEqual(most);
      const last = answers.filter(({ status }) => status === 429).sort((a, b) => a.receivedAt - b.receivedAt).at(-1) as Answer;
      await until(last.receivedAt + Number(last.headers["retry-after"]) * 1000);
      expect((await fleet.ask((last.member + 1) % 3, key)).status, "after Retry-After").toBe(200);
    };
    // One after the other: on a busy machine more at once would take longer than the window.
    await flood(20, 20);
    await flood(130, 136);
  }), 60_000);

  it("a client that spaces its calls evenly at the limit is never refused, whichever process each comes to", () => answeredWhole(async (burst) => {
    await beginAnew();
    const evenly = async (requests: number, window: number, calls: number) => {
      const [key] = await fleet.makeKeys(1, { requests, window }) as [FleetKey];
      let last: Answer | undefined;
      for (let i = 0; i < calls; i++) {
        if (last) await until(last.receivedAt + window * 1000 / requests);
        [last] = await burst(key, 1);
        expect([i, last?.status]).toEqual([i, 200]);
      }
    };
    await Promise.all([evenly(8, 1, 20), evenly(130, 2, 200)]);
  }), 60_000);
});

describe("what fails to authenticate is limited by its address before it costs anything", () => {
  const limit = 20;
  let fleet: Fleet;
  let known: FleetKey;
  const from = (address: string, headers: Record<string, string> = {}) => fleet.get(0, "/api/v1/auth/me", { "x-forwarded-for": address, ...headers });
  const unknown = () => ({ "x-api-key": newSecret("slk").value });
  const forged = (n: number) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    return { authorization: `Bearer ${part({ alg: "ES256", typ: "at+jwt", kid: "guess" })}.${part({ iss: inject("webEnv").AUTH_URL, n })}.${"A".repeat(86)}` };
  };
  const untilLimited = async (call: () => ReturnType<Fleet["get"]>) => {
    for (let i = 0; i < limit; i++) expect([(await call()).status, i]).toEqual([401, i]);
    const over = await call();
    expect([over.status, over.code]).toEqual([429, "rate_limited"]);
    expect(over.retryAfter).toBeGreaterThanOrEqual(1);
    expect(over.retryAfter).toBeLessThanOrEqual(61);
  };

  beforeAll(async () => {
    fleet = await startFleet(inject("webEnv"), redis, { count: 1, env: { AUTH_FAILURE_LIMIT: `${limit}/60`, TRUSTED_PROXIES: "127.0.0.0/8,::1", WORKER: "off" } });
    [known] = await fleet.makeKeys(1) as [FleetKey];
  });
  afterAll(() => fleet.stop());

  it("unknown keys: past the limit PostgreSQL hears nothing any more, and a good key from there goes on", async () => {
    expect((await from("203.0.113.1", { "x-api-key": known.secret })).status).toBe(200);
    await untilLimited(() => from("203.0.113.1", unknown()));
    const before = fleet.database.sent();
    for (let i = 0; i < 30; i++) expect((await from("203.0.113.1", unknown())).status).toBe(429);
    expect(fleet.database.sent() - before).toBe(0);
    expect((await from("203.0.113.1", { "x-api-key": known.secret })).status).toBe(200);
    expect((await from("203.0.113.2", unknown())).status).toBe(401);
  });

  it("forged tokens and calls without any credential count together, and past the limit no store is asked at all", async () => {
    let n = 0;
    // What calls leave behind is written a moment after them, in their order.
    await from("203.0.113.9", { "x-api-key": known.secret, "x-request-id": "the-last-before" });
    await vi.waitFor(async () => expect(JSON.stringify(await store.xrange("sl:usage", "-", "+"))).toContain("the-last-before"), 10_000);
    await untilLimited(() => from("203.0.113.3", ++n % 2 ? forged(n) : {}));
    const before = [fleet.database.sent(), fleet.members[0]?.link?.sent()];
    for (let i = 0; i < 30; i++) expect((await from("203.0.113.3", i % 2 ? forged(++n) : {})).status).toBe(429);
    expect([fleet.database.sent(), fleet.members[0]?.link?.sent()]).toEqual(before);
  });

  it("guesses at the token of the metrics count like any others, and whoever has it is let in all the same", async () => {
    const metrics = (authorization?: string) => fleet.get(0, "/api/metrics", { "x-forwarded-for": "203.0.113.10", ...(authorization && { authorization }) });
    let n = 0;
    await untilLimited(() => metrics(++n % 2 ? `Bearer ${"g".repeat(43)}${n % 10}` : undefined));
    expect((await from("203.0.113.10")).status).toBe(429);
    expect((await metrics(`Bearer ${inject("webEnv").METRICS_TOKEN}`)).status).toBe(200);
  });

  it("a token that was good before is let in from an address that somebody else floods", async () => {
    const answer = await fleet.members[0]!.pool.request({ method: "POST", path: "/api/v1/chat/authenticate", headers: { "content-type": "application/json", "x-forwarded-for": "203.0.113.4" }, body: JSON.stringify({ api_key: known.secret }) });
    const { access_token } = await answer.body.json() as { access_token: string };
    expect((await from("203.0.113.4", { authorization: `Bearer ${access_token}` })).status).toBe(200);
    await untilLimited(() => from("203.0.113.4", forged(0)));
    expect((await from("203.0.113.4", { authorization: `Bearer ${access_token}` })).status).toBe(200);
  });

  it("rotating IPv6 addresses must not beat the limit: a network of 64 bits is one caller, and the next one another", async () => {
    let host = 0;
    await untilLimited(() => from(`2001:db8:5:6:${(++host).toString(16)}::${host.toString(16)}`, unknown()));
    expect((await from("2001:db8:5:6:ffff:ffff:ffff:ffff", unknown())).status).toBe(429);
    expect((await from("2001:db8:5:7::1", unknown())).status).toBe(401);
  });

  it("an IPv4 address that comes mapped into IPv6 is the same caller", async () => {
    let n = 0;
    await untilLimited(() => from(++n % 2 ? "203.0.113.5" : "::ffff:203.0.113.5", unknown()));
  });

  it("health, key set, document and the question whether a chatflow streams stay open to an address past its limit", async () => {
    await untilLimited(() => from("203.0.113.6"));
    for (const path of ["/api/health/live", "/api/health/ready", "/health", "/info", "/.well-known/jwks.json", "/api/openapi.json", "/api/v1/chatflows-streaming/no-such-flow"]) {
      for (let i = 0; i < 3; i++) expect([path, (await fleet.get(0, path, { "x-forwarded-for": "203.0.113.6" })).status]).not.toEqual([path, 429]);
    }
  });

  it("behind a trusted proxy the right-most untrusted entry counts, whatever stands to its left", async () => {
    let n = 0;
    await untilLimited(() => from(`10.0.0.${++n}, 198.51.100.7, 127.0.0.9`, unknown()));
    expect((await from("198.51.100.7", unknown())).status).toBe(429);
    expect((await from("10.0.0.1", unknown())).status).toBe(401);
  });
});

describe("for a peer that is no trusted proxy", () => {
  let fleet: Fleet;
  beforeAll(async () => { fleet = await startFleet(inject("webEnv"), redis, { count: 1, env: { AUTH_FAILURE_LIMIT: "20/60", WORKER: "off" } }); });
  afterAll(() => fleet.stop());

  it("no header makes it somebody else: the limit of failing calls holds however they change", async () => {
    const statuses = [];
    for (let i = 0; i < 21; i++) {
      const lie = `203.0.113.${i}`;
      statuses.push((await fleet.get(0, "/api/v1/auth/me", {
        "x-api-key": newSecret("slk").value, "x-forwarded-for": lie, "x-real-ip": lie, "x-client-ip": lie, forwarded: `for=${lie};host=evil.test`, "true-client-ip": lie, "cf-connecting-ip": lie,
        "x-sluice-client-address": lie, "x-forwarded-host": "evil.test", host: `evil-${i}.test`,
      })).status);
    }
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 401), 429]);
  });
});
