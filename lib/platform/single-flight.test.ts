import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { metrics } from "./metrics";
import { withRedis } from "./redis";
import { inTurn, type Lease, singleFlight } from "./single-flight";

const names = () => { const id = randomUUID(); return { lockKey: `test:${id}:l`, channel: `test:n:${id}` }; };
/** As if this process had been stopped: neither timers nor sockets. */
const stop = (ms: number) => { for (const until = performance.now() + ms; performance.now() < until;); };

it("a holder that was stopped right before its one act does not do it: the lock may be another's by now, so it looks again", async () => {
  const { lockKey, channel } = names();
  const acts: string[] = [];
  let done: string | null = null;
  let runs = 0;
  const run = async (_state: null, lease: Lease) => {
    runs++;
    if (runs === 1) {
      stop(4200);
      // Meanwhile another process took over, and has finished.
      done = "theirs";
    }
    lease.assertHeld();
    acts.push("act");
    return "ours";
  };
  const find = async () => (done === null ? ({ done: false, state: null } as const) : ({ done: true, value: done } as const));
  const { count: lostBefore } = metrics.lockLost.cell();
  expect(await singleFlight(lockKey, { lockKey, channel, find, run })).toBe("theirs");
  expect(acts).toEqual([]);
  expect(metrics.lockLost.cell().count - lostBefore).toBe(1);
}, 20_000);

it("who holds the lock for long renews it: nobody else begins, and who waits gets the result", async () => {
  const { lockKey, channel } = names();
  let done: string | null = null;
  let begun = 0;
  const find = async () => (done === null ? ({ done: false, state: null } as const) : ({ done: true, value: done } as const));
  const run = async (_state: null, lease: Lease) => {
    begun++;
    const until = performance.now() + 7000;
    await expect.poll(() => performance.now(), { timeout: 10_000, interval: 100 }).toBeGreaterThan(until);
    lease.assertHeld();
    done = "first";
    return done;
  };
  // Two names, as two processes have: they share the lock alone.
  expect(await Promise.all([singleFlight(`${lockKey}/a`, { lockKey, channel, find, run }), singleFlight(`${lockKey}/b`, { lockKey, channel, find, run })])).toEqual(["first", "first"]);
  expect(begun).toBe(1);
  expect(await withRedis((client) => client.exists(lockKey))).toBe(0);
}, 30_000);

it("work in turn never overlaps, all of it is done, and a flood of one name is refused at once instead of waited for", async () => {
  const { lockKey, channel } = names();
  let running = 0;
  let most = 0;
  let done = 0;
  const work = async () => {
    most = Math.max(most, ++running);
    await withRedis((client) => client.ping());
    running--;
    done++;
  };
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => inTurn(lockKey, channel, work)));
  expect([most, done]).toEqual([1, 32]);
  expect(results.slice(32).map((result) => result.status === "rejected" && (result.reason as { code: string }).code)).toEqual(Array(8).fill("auth_busy"));
  // Nobody is before the next one any more, and whoever fails makes room as well.
  await expect(inTurn(lockKey, channel, async () => { throw new Error("mine"); })).rejects.toThrow("mine");
  await inTurn(lockKey, channel, work);
  expect(done).toBe(33);
}, 20_000);
