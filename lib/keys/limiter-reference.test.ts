import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRedis } from "@/dev/lib/redis";
import { givenTime, takeScriptOf, TakeReply, wholeSeconds } from "./limit";
import { rateHeaders } from "./rate-headers";

// The limiter against the naive thing that it stands for: a list of the times of all admitted calls.
const script = takeScriptOf(givenTime);
const start = 1_800_000_000_000;
let redis: Redis;
let names = 0;

type Limit = { requests: number; window: number };
type Call = { at: number; cost: 0 | 1 };
type Reply = ReturnType<typeof TakeReply.parse>;

const run = async (limits: { name: string; limit: Limit }[], calls: Call[]): Promise<Reply[]> => {
  const pipeline = redis.pipeline();
  for (const { at, cost } of calls) pipeline.evalsha(script.sha, limits.length, ...limits.map(({ name }) => name), at, cost, ...limits.flatMap(({ limit }) => [limit.requests, limit.window]));
  return (await pipeline.exec() ?? []).map(([error, reply]) => { if (error) throw error; return TakeReply.parse(reply); });
};
const fresh = (limit: Limit) => ({ name: `sl:ref:${names++}`, limit });

/** The naive limiter. `times` only grows, and calls come in the order of their time. */
class Naive {
  readonly times: number[] = [];
  constructor(readonly limit: Limit) {}
  /** Admitted calls in the last `ms` before and at a moment. */
  inLast(ms: number, at: number): number {
    let count = 0;
    for (let i = this.times.length - 1; i >= 0 && at - (this.times[i] ?? 0) < ms; i--) count++;
    return count;
  }
  get windowMs(): number { return this.limit.window * 1000; }
  get exact(): boolean { return this.limit.requests <= 128; }
  get ceiling(): number { return this.exact ? this.limit.requests : Math.floor((this.limit.requests * 105) / 100); }
  free(at: number): boolean { return this.inLast(this.windowMs, at) < this.limit.requests; }
  /** When a refused call would be admitted if nobody else came. */
  freeAt(at: number): number { return this.free(at) ? at : (this.times[this.times.length - this.limit.requests] ?? 0) + this.windowMs; }
  fullAt(at: number): number { return this.inLast(this.windowMs, at) > 0 ? (this.times.at(-1) ?? 0) + this.windowMs : at; }
}

const windows = fc.oneof(fc.integer({ min: 60, max: 7200 }), fc.constantFrom(60, 3600, 86_400, 2_592_000));
const exactSizes = fc.oneof(fc.integer({ min: 1, max: 128 }), fc.constantFrom(1, 2, 127, 128));
const bucketSizes = fc.oneof(fc.integer({ min: 129, max: 2000 }), fc.constantFrom(129, 130, 139, 140, 1000));
const limitOf = (sizes: fc.Arbitrary<number>) => fc.record({ requests: sizes, window: windows });
const anyLimit = limitOf(fc.oneof(exactSizes, bucketSizes));

/**
 * Calls in an order of time: bursts of a share of the limit with gaps inside, then pauses of a share of the window,
 * to the millisecond before and at an edge among them. Some only look.
 */
const schedule = fc.record({
  offset: fc.integer({ min: 0, max: 10_000_000 }),
  bursts: fc.array(fc.record({
    share: fc.oneof(fc.constantFrom(1, 1.1), fc.double({ min: 0, max: 1.3, noNaN: true })), spread: fc.constantFrom(0, 0, 0.001, 0.02, 0.5, 1),
    pause: fc.oneof(fc.constantFrom(0, 1 / 40, 39 / 40, 1, 41 / 40), fc.double({ min: 0.97, max: 1, noNaN: true }), fc.double({ min: 0, max: 1.5, noNaN: true })), nudgeMs: fc.constantFrom(-1, 0, 1), looks: fc.boolean(),
  }), { minLength: 1, maxLength: 7 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

function callsOf({ requests, window }: Limit, { offset, bursts }: Schedule): Call[] {
  const calls: Call[] = [];
  let at = start + offset;
  for (const { share, spread, pause, nudgeMs, looks } of bursts) {
    const count = Math.min(2600, Math.max(1, Math.ceil(requests * share)));
    const from = at;
    for (let i = 0; i < count; i++) {
      at = Math.max(at, from + Math.floor((i * spread * window * 1000) / count));
      if (looks && i % 5 === 0) calls.push({ at, cost: 0 });
      calls.push({ at, cost: 1 });
    }
    at = Math.max(at, at + Math.floor(pause * window * 1000) + nudgeMs);
  }
  return calls;
}

describe("the limiter beside a naive one", () => {
  const folder = mkdtempSync(join("/var/tmp", "sluice-limiter-reference-"));
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

  it("up to 128 decides, counts and waits to the millisecond as the list does, looks included", async () => {
    await fc.assert(fc.asyncProperty(limitOf(exactSizes), schedule, async (limit, plan) => {
      const naive = new Naive(limit);
      const calls = callsOf(limit, plan);
      const replies = await run([fresh(limit)], calls);
      calls.forEach(({ at, cost }, i) => {
        const free = naive.free(at);
        if (free && cost) naive.times.push(at);
        expect(replies[i], `call ${i}`).toMatchObject({
          ok: free, remaining: Math.max(0, limit.requests - naive.inLast(naive.windowMs, at)), resetMs: naive.fullAt(at), waitMs: free ? 0 : naive.freeAt(at) - at,
        });
      });
    }), { numRuns: 50 });
  });

  it("above 128 never admits what 105 % of the list forbid, and never refuses what fits into a window and a fortieth", async () => {
    await fc.assert(fc.asyncProperty(limitOf(bucketSizes), schedule, async (limit, plan) => {
      const naive = new Naive(limit);
      const calls = callsOf(limit, plan);
      const replies = await run([fresh(limit)], calls);
      const bucketMs = naive.windowMs / 40;
      calls.forEach(({ at, cost }, i) => {
        const ok = replies[i]?.ok;
        if (ok) {
          expect(naive.inLast(naive.windowMs, at), `call ${i} admitted`).toBeLessThan(naive.ceiling);
          expect(naive.inLast(naive.windowMs - bucketMs, at), `call ${i} admitted`).toBeLessThan(limit.requests);
        } else {
          const fits = naive.inLast(naive.windowMs, at) < limit.requests && naive.inLast(naive.windowMs + bucketMs + 1, at) < naive.ceiling;
          expect(fits, `call ${i} refused`).toBe(false);
        }
        if (ok && cost) naive.times.push(at);
      });
    }), { numRuns: 25 });
  });

  it("the headers keep their word: Remaining is admitted at once, after Retry-After the next is, at Reset all of it", async () => {
    await fc.assert(fc.asyncProperty(anyLimit, schedule, fc.boolean(), async (limit, plan, full) => {
      const limiter = fresh(limit);
      const calls = callsOf(limit, plan);
      const at = calls.at(-1)?.at ?? start;
      await run([limiter], calls);
      if (full) await run([limiter], Array.from({ length: limit.requests }, () => ({ at, cost: 1 as const })));
      const [state] = await run([limiter], [{ at, cost: 0 }]) as [Reply];
      const headers = rateHeaders({ label: "key", limit: limit.requests, windowSeconds: limit.window, remaining: state.remaining, resetMs: state.resetMs }, at);
      const remaining = Number(headers["X-RateLimit-Remaining"]);
      expect(state.ok).toBe(remaining > 0);
      const copy = async () => {
        const [from = ""] = await redis.keys(`${limiter.name}:*`);
        const other = fresh(limit);
        if (from) await redis.copy(from, from.replace(limiter.name, other.name));
        return other;
      };
      const burst = await run([await copy()], Array.from({ length: remaining + 1 }, () => ({ at, cost: 1 as const })));
      expect(burst.map((r) => r.ok)).toEqual([...Array.from({ length: remaining }, () => true), false]);
      if (!state.ok) {
        const wait = wholeSeconds(state.waitMs);
        expect(wait).toBeGreaterThanOrEqual(1);
        expect((await run([await copy()], [{ at: at + wait * 1000, cost: 1 }]))[0]?.ok).toBe(true);
        // To the second: a whole one earlier it would have been refused.
        if (wait > 1) expect((await run([await copy()], [{ at: at + (wait - 1) * 1000 - 1, cost: 1 }]))[0]?.ok).toBe(false);
      }
      const resetMs = Number(headers["X-RateLimit-Reset"]) * 1000;
      expect(resetMs).toBeGreaterThanOrEqual(at);
      expect((await run([await copy()], [{ at: resetMs, cost: 0 }]))[0]?.remaining).toBe(limit.requests);
      if (remaining < limit.requests) expect((await run([await copy()], [{ at: resetMs - 1001, cost: 0 }]))[0]?.remaining).toBeLessThan(limit.requests);
      expect(headers.RateLimit).toBe(`"key";r=${remaining};t=${Math.ceil(Math.max(0, state.resetMs - at) / 1000)}`);
    }), { numRuns: 50 });
  });

  it("three limits at once are taken all or none, and who is named makes Retry-After true for all of them", async () => {
    await fc.assert(fc.asyncProperty(fc.tuple(limitOf(exactSizes), limitOf(exactSizes), limitOf(exactSizes)), schedule, async (limits, plan) => {
      const three = limits.map(fresh);
      const naive = limits.map((limit) => new Naive(limit));
      const calls = callsOf(limits[1], plan).slice(0, 600);
      const replies = await run(three, calls);
      calls.forEach(({ at, cost }, i) => {
        const ok = naive.every((one) => one.free(at));
        if (ok && cost) for (const one of naive) one.times.push(at);
        expect(replies[i]?.ok, `call ${i}`).toBe(ok);
        const spoken = replies[i]?.index ?? -1;
        if (!ok) expect(replies[i]?.waitMs).toBe(Math.max(...naive.map((one) => one.freeAt(at) - at)));
        else expect(replies[i]?.remaining).toBe(Math.min(...naive.map((one) => one.limit.requests - one.inLast(one.windowMs, at))));
        expect(spoken).toBeGreaterThanOrEqual(0);
      });
      // Each limit alone holds what was admitted together, and nothing of what was refused.
      const at = calls.at(-1)?.at ?? start;
      for (const [i, one] of three.entries()) expect((await run([one], [{ at, cost: 0 }]))[0]?.remaining).toBe(Math.max(0, one.limit.requests - (naive[i]?.inLast(one.limit.window * 1000, at) ?? 0)));
    }), { numRuns: 40 });
  });
});
