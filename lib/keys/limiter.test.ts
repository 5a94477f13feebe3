import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedis } from "@/dev/lib/redis";
import { unknownAddress } from "@/lib/platform/client-address";
import { runScript } from "@/lib/platform/records";
import { addressLimitName, giveBackLimit, givenTime, takeLimit, TakeReply, takeScriptOf } from "./limit";

// State expires by the server's own clock, so windows here are longer than any test takes.
/** The same Lua as in production, with a time of our choosing. */
const script = takeScriptOf(givenTime);
type Limit = { requests: number; window: number };
/** A Redis of its own: thousands of takes in a row would hold up everybody else's. */
let redis: Redis;
let names = 0;
const freshName = () => `sl:test:${process.pid}:${names++}`;
const take = async (name: string, { requests, window }: Limit, atMs: number, cost = 1) => TakeReply.parse(await runScript(redis, script, [name], [atMs, cost, requests, window]));

/** Many takes at once travel in one pipeline and run in order. */
async function takeMany(name: string, { requests, window }: Limit, times: number[]) {
  const pipeline = redis.pipeline();
  for (const at of times) pipeline.evalsha(script.sha, 1, name, at, 1, requests, window);
  return (await pipeline.exec() ?? []).map(([error, reply]) => { if (error) throw error; return TakeReply.parse(reply); });
}

const start = 1_800_000_000_000;
const small = fc.record({ requests: fc.integer({ min: 1, max: 128 }), window: fc.integer({ min: 60, max: 7200 }) });
const large = fc.record({ requests: fc.integer({ min: 129, max: 3000 }), window: fc.integer({ min: 60, max: 7200 }) });
const any = fc.oneof(small, large);
const offset = fc.integer({ min: 0, max: 10_000_000 });
const runs = { numRuns: 20 };

/** Calls that come in bursts and pauses around a limit's own time scale. */
function schedule({ requests, window }: Limit, seeds: number[]): number[] {
  const times: number[] = [];
  let at = start + (seeds[0] ?? 0);
  for (const seed of seeds) {
    const burst = 1 + (seed % Math.ceil(requests * 0.7));
    for (let i = 0; i < burst && times.length < 3000; i++) times.push(at + Math.floor((i * (seed % 7) * window) / (10 * requests)));
    at = (times.at(-1) ?? at) + Math.floor((window * 1000 * (seed % 97)) / 80);
  }
  return times;
}
const seeds = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 12 });

/** The naive reference: most admitted calls in any stretch [t, t + window). */
function mostInAnyWindow(admitted: number[], windowMs: number): number {
  let most = 0;
  for (let from = 0, to = 0; from < admitted.length; from++) {
    while (to < admitted.length && (admitted[to] ?? 0) < (admitted[from] ?? 0) + windowMs) to++;
    most = Math.max(most, to - from);
  }
  return most;
}

describe("the limiter", () => {
  const folder = mkdtempSync(join("/var/tmp", "sluice-limiter-"));
  let server: Awaited<ReturnType<typeof startRedis>>;
  beforeAll(async () => {
    server = await startRedis(folder, { throwaway: true });
    redis = new Redis(server.url);
    await redis.script("LOAD", script.source);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("a burst on a full budget admits exactly the limit", async () => {
    await fc.assert(fc.asyncProperty(any, offset, async (limit, by) => {
      const replies = await takeMany(freshName(), limit, Array.from({ length: limit.requests + 20 }, () => start + by));
      expect(replies.filter((r) => r.ok)).toHaveLength(limit.requests);
      expect(replies.slice(0, limit.requests).every((r) => r.ok)).toBe(true);
    }), runs);
  });

  it("no stretch of one window sees more than the limit, or 105 % of it above 128", async () => {
    await fc.assert(fc.asyncProperty(any, seeds, async (limit, by) => {
      const times = schedule(limit, by);
      const replies = await takeMany(freshName(), limit, times);
      const most = mostInAnyWindow(times.filter((_, i) => replies[i]?.ok), limit.window * 1000);
      expect(most).toBeLessThanOrEqual(limit.requests <= 128 ? limit.requests : Math.floor((limit.requests * 105) / 100));
    }), { numRuns: 25 });
  });

  it("up to 128 it decides as the naive list of times does, call by call", async () => {
    await fc.assert(fc.asyncProperty(small, seeds, async (limit, by) => {
      const times = schedule(limit, by);
      const replies = await takeMany(freshName(), limit, times);
      const admitted: number[] = [];
      times.forEach((at, i) => {
        const expected = admitted.filter((t) => at - t < limit.window * 1000).length < limit.requests;
        expect(replies[i]?.ok).toBe(expected);
        if (expected) admitted.push(at);
      });
    }), { numRuns: 25 });
  });

  it("a double burst at an edge is stopped wherever the edge lies, between two sub-buckets too", async () => {
    for (const limit of [{ requests: 10, window: 60 }, { requests: 1000, window: 3600 }]) {
      const bucketMs = limit.window * 25;
      const aligned = Math.ceil(start / bucketMs) * bucketMs;
      for (const early of [aligned, aligned + bucketMs - 1]) {
        for (const late of [0.9, 0.95, 0.975, 0.999].map((part) => early + Math.floor(limit.window * 1000 * part)).concat(aligned + 40 * bucketMs)) {
          if (late >= early + limit.window * 1000) continue;
          const burst = (at: number) => Array.from({ length: limit.requests }, () => at);
          const replies = await takeMany(freshName(), limit, [...burst(early), ...burst(late)]);
          expect(replies.filter((r) => r.ok).length).toBeLessThanOrEqual(limit.requests <= 128 ? limit.requests : 1050);
        }
      }
    }
  });

  it("a client that spaces its calls evenly at the limit is never refused", async () => {
    await fc.assert(fc.asyncProperty(any, offset, fc.double({ min: 1, max: 1.3, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), async (limit, by, slower, part) => {
      const gapMs = (limit.window * 1000 * slower) / limit.requests;
      const count = Math.min(4000, Math.ceil(limit.requests * 2.3));
      const replies = await takeMany(freshName(), limit, Array.from({ length: count }, (_, i) => Math.floor(start + by + part + i * gapMs)));
      expect(replies.findIndex((r) => !r.ok)).toBe(-1);
    }), { numRuns: 12 });
  });

  it("a refused call takes nothing: however many are refused, the budget comes back at the same moment", async () => {
    await fc.assert(fc.asyncProperty(any, seeds, fc.integer({ min: 1, max: 50 }), async (limit, by, extra) => {
      const [one, two] = [freshName(), freshName()];
      const times = schedule(limit, by);
      const last = times.at(-1) ?? start;
      const fill = Array.from({ length: limit.requests }, () => last);
      await takeMany(one, limit, [...times, ...fill]);
      await takeMany(two, limit, [...times, ...fill, ...Array.from({ length: extra }, () => last)]);
      expect(await take(two, limit, last, 0)).toEqual(await take(one, limit, last, 0));
    }), runs);
  });

  it("several limits are taken all or none", async () => {
    const [a, b] = [freshName(), freshName()];
    const both = (at: number) => runScript(redis, script, [a, b], [at, 1, 5, 60, 2, 60]).then((r) => TakeReply.parse(r));
    const replies = [await both(start), await both(start), await both(start + 1)];
    expect(replies.map((r) => r.ok)).toEqual([true, true, false]);
    expect(replies[2]).toMatchObject({ index: 1, remaining: 0, waitMs: 59_999 });
    expect((await take(a, { requests: 5, window: 60 }, start + 1, 0)).remaining).toBe(3);
  });

  it("after Retry-After the next call is admitted, and not one millisecond of it is too long", async () => {
    await fc.assert(fc.asyncProperty(any, seeds, async (limit, by) => {
      const name = freshName();
      const times = schedule(limit, by);
      const last = times.at(-1) ?? start;
      await takeMany(name, limit, [...times, ...Array.from({ length: limit.requests }, () => last)]);
      const refused = await take(name, limit, last + 1, 0);
      if (refused.ok) return;
      expect((await take(name, limit, last + refused.waitMs, 0)).ok).toBe(false);
      expect((await take(name, limit, last + 1 + refused.waitMs, 1)).ok).toBe(true);
    }), { numRuns: 25 });
  });

  it("Remaining is what a burst may still take, and at Reset the budget is full, not a millisecond before", async () => {
    await fc.assert(fc.asyncProperty(any, seeds, async (limit, by) => {
      const name = freshName();
      const times = schedule(limit, by);
      const replies = await takeMany(name, limit, times);
      const now = times.at(-1) ?? start;
      const state = await take(name, limit, now, 0);
      const lastTaken = replies.at(-1);
      if (lastTaken?.ok) expect(state).toMatchObject({ remaining: lastTaken.remaining, resetMs: lastTaken.resetMs });
      expect((await take(name, limit, state.resetMs, 0)).remaining).toBe(limit.requests);
      if (state.remaining < limit.requests) expect((await take(name, limit, state.resetMs - 1, 0)).remaining).toBeLessThan(limit.requests);
      const burst = await takeMany(name, limit, Array.from({ length: state.remaining + 5 }, () => now));
      expect(burst.filter((r) => r.ok)).toHaveLength(state.remaining);
    }), { numRuns: 25 });
  });

  it("a clock that goes back admits nothing beyond the limit", async () => {
    const limit = { requests: 3, window: 60 };
    const name = freshName();
    const replies = await takeMany(name, limit, [start, start - 5000, start - 1000, start - 1, start + 59_999]);
    expect(replies.map((r) => r.ok)).toEqual([true, true, true, false, false]);
  });

  it("what is given back may be taken again, once, and an address counts by /64", async () => {
    for (const limit of [{ requests: 3, window: 600 }, { requests: 130, window: 600 }]) {
      const name = freshName();
      const taken = [];
      for (let i = 0; i < limit.requests; i++) taken.push(await takeLimit(name, limit));
      expect((await takeLimit(name, limit)).ok).toBe(false);
      const last = taken.at(-1);
      if (last?.ok) await giveBackLimit(name, limit, last.at);
      expect([(await takeLimit(name, limit)).ok, (await takeLimit(name, limit)).ok]).toEqual([true, false]);
      await giveBackLimit(name, limit, 12_345);
      expect((await takeLimit(name, limit)).ok).toBe(false);
    }
    expect(addressLimitName("2001:db8:1:2:3::4")).toBe(addressLimitName("2001:db8:1:2:ffff::1"));
    expect(addressLimitName("2001:db8:1:2::1")).not.toBe(addressLimitName("2001:db8:1:3::1"));
    expect(addressLimitName("::ffff:10.0.0.1")).toBe(addressLimitName("10.0.0.1"));
    expect([addressLimitName("nonsense"), addressLimitName(null)]).toEqual([null, null]);
    expect(addressLimitName(unknownAddress)).not.toBeNull();
  });

  it("state expires by itself after about a window", async () => {
    for (const limit of [{ requests: 5, window: 60 }, { requests: 500, window: 60 }]) {
      const name = freshName();
      await take(name, limit, start);
      const ttl = await redis.pttl(`${name}:60:${limit.requests <= 128 ? "e" : "b"}`);
      expect(ttl).toBeGreaterThan(60_000);
      expect(ttl).toBeLessThanOrEqual(63_000);
    }
  });
});
