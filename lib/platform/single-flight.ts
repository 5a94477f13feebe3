import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { SluiceError } from "./errors";
import { metrics } from "./metrics";
import { defineScript, runScript } from "./records";
import { newRedis, withRedis } from "./redis";

/**
 * One piece of work for all who need it: callers in this process share a promise, processes share a lock in Redis that
 * its holder renews. The lock keeps two from starting; it does not fence, so whoever writes the result compares
 * generations too. Waiting is polling; the message on the channel only shortens it.
 */
const lockMs = 6000;
const renewEveryMs = 2000;
/** A holder that slept longer than this may have lost the lock without knowing. */
const trustMs = 4000;
const waitMsMax = 10_000;

const renew = defineScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`);
const release = defineScript(`
local mine = redis.call('GET', KEYS[1]) == ARGV[1]
if mine then redis.call('DEL', KEYS[1]) end
redis.call('PUBLISH', ARGV[2], '1')
return mine and 1 or 0`);

class LeaseLost extends Error {
  override name = "LeaseLost";
}

export type Lease = {
  id: string;
  /** To be called right before what must not happen twice. Throws when the lock may be lost; the work then starts over. */
  assertHeld(): void;
};

/** `done` ends the wait; otherwise `state` is handed to `run` by whoever gets the lock. */
export type Found<T, S> = { done: true; value: T } | { done: false; state: S };

type Options<T, S> = {
  lockKey: string;
  channel: string;
  /** Looks whether the work is still needed; throws what ends it for everybody. Also asked again under the lock. */
  find: () => Promise<Found<T, S>>;
  run: (state: S, lease: Lease) => Promise<T>;
};

const shared = globalThis as typeof globalThis & { sluiceFlights?: Map<string, Promise<unknown>>; sluiceTurns?: Map<string, number>; sluiceListener?: Listener };

/** Whether somebody in this process is at it. */
export function isUnderWay(key: string): boolean {
  return shared.sluiceFlights?.has(key) ?? false;
}

/** Callers of one process with the same key share one promise. */
export function join<T>(key: string, start: () => Promise<T>): Promise<T> {
  shared.sluiceFlights ??= new Map();
  const flights = shared.sluiceFlights;
  const current = flights.get(key);
  if (current) {
    metrics.refreshJoined.inc({ tier: "process" });
    return current as Promise<T>;
  }
  const flight = start().finally(() => flights.delete(key));
  flights.set(key, flight);
  return flight;
}

/** @throws SluiceError `auth_busy` after 10 s of waiting; `store_unavailable`; whatever `find` and `run` throw. */
export function singleFlight<T, S>(key: string, options: Options<T, S>): Promise<T> {
  return join(key, () => fly(options));
}

/** Waiting costs a process little, yet not nothing, and whoever floods one lock must not pile it up. */
const turnsMax = 32;

/**
 * Work of which only one at a time may happen over all processes, each of them wanted: who comes later waits.
 * @throws SluiceError `auth_busy` after 10 s of waiting, and at once where 32 of this process are before it; `store_unavailable`; whatever `work` throws.
 */
export async function inTurn<T>(lockKey: string, channel: string, work: () => Promise<T>): Promise<T> {
  shared.sluiceTurns ??= new Map();
  const turns = shared.sluiceTurns;
  const before = turns.get(lockKey) ?? 0;
  if (before >= turnsMax) throw busy();
  turns.set(lockKey, before + 1);
  try {
    return await fly({ lockKey, channel, find: async () => ({ done: false, state: null }), run: work });
  } finally {
    const left = (turns.get(lockKey) ?? 1) - 1;
    if (left === 0) turns.delete(lockKey);
    else turns.set(lockKey, left);
  }
}

const busy = () => new SluiceError("auth_busy", "Another call is at this and has not finished. Try again.", { retryAfterSeconds: 1 });

async function fly<T, S>({ lockKey, channel, find, run }: Options<T, S>): Promise<T> {
  const deadline = performance.now() + waitMsMax;
  let pauseMs = 25;
  let waitingSince: number | null = null;
  let unlisten: (() => void) | null = null;
  let wake: () => void = () => undefined;
  try {
    for (;;) {
      const found = await find();
      if (found.done) {
        if (waitingSince !== null) metrics.refreshJoined.inc({ tier: "redis" });
        return found.value;
      }
      const lease = await take(lockKey, channel);
      if (lease) {
        try {
          const again = await find();
          if (again.done) return again.value;
          return await run(again.state, lease);
        } catch (error) {
          if (!(error instanceof LeaseLost)) throw error;
          metrics.lockLost.inc();
        } finally {
          await lease.end();
        }
      }
      if (performance.now() > deadline) throw busy();
      waitingSince ??= performance.now();
      unlisten ??= listener().on(channel, () => wake());
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs * (0.75 + Math.random() / 2));
        wake = () => { clearTimeout(timer); resolve(); };
      });
      pauseMs = Math.min(200, pauseMs * 1.5);
    }
  } finally {
    if (waitingSince !== null) metrics.lockWait.observe((performance.now() - waitingSince) / 1000);
    unlisten?.();
  }
}

async function take(lockKey: string, channel: string): Promise<(Lease & { end(): Promise<void> }) | null> {
  const id = randomUUID();
  let heldSince = performance.now();
  const won = await withRedis((client) => client.set(lockKey, id, "PX", lockMs, "NX"));
  if (won !== "OK") return null;
  const timer = setInterval(() => {
    const asked = performance.now();
    withRedis((client) => runScript(client, renew, [lockKey], [id, lockMs])).then((kept) => { if (kept === 1) heldSince = asked; }, () => undefined);
  }, renewEveryMs);
  return {
    id,
    assertHeld() {
      if (performance.now() - heldSince > trustMs) throw new LeaseLost("the lock was not renewed in time");
    },
    async end() {
      clearInterval(timer);
      // A lock that could not be given back ends by itself.
      await withRedis((client) => runScript(client, release, [lockKey], [id, channel])).catch(() => undefined);
    },
  };
}

/** One subscriber connection for all waits of a process, opened with the first and closed some seconds after the last. */
class Listener {
  private client: Redis | null = null;
  private readonly wakers = new Map<string, Set<() => void>>();
  private idle: NodeJS.Timeout | null = null;

  on(channel: string, waker: () => void): () => void {
    if (this.idle) clearTimeout(this.idle);
    if (!this.client) {
      this.client = newRedis();
      this.client.on("message", (name) => this.wakers.get(name)?.forEach((wake) => wake()));
    }
    const known = this.wakers.get(channel);
    if (known) known.add(waker);
    else {
      this.wakers.set(channel, new Set([waker]));
      this.client.subscribe(channel).catch(() => undefined);
    }
    return () => this.off(channel, waker);
  }

  private off(channel: string, waker: () => void): void {
    const set = this.wakers.get(channel);
    set?.delete(waker);
    if (set?.size === 0) {
      this.wakers.delete(channel);
      this.client?.unsubscribe(channel).catch(() => undefined);
    }
    if (this.wakers.size > 0) return;
    this.idle = setTimeout(() => {
      this.client?.disconnect();
      this.client = null;
    }, 5000);
    this.idle.unref();
  }
}

function listener(): Listener {
  shared.sluiceListener ??= new Listener();
  return shared.sluiceListener;
}
