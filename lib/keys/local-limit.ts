import type { RateLimit } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import type { LimitState } from "./rate-headers";

export type Taken = { ok: true; remaining: number; /** The moment under which it was counted, in ms. */ at: number } | { ok: false; retryAfterSeconds: number };

const timesMax = 2048;
const namesMax = 5000;

/** Times of admitted calls, oldest first; what stands before `head` has left the window. */
type Log = { times: number[]; head: number; endsAt: number };
type Share = { requests: number; windowMs: number };
type Named = { label: LimitState["label"]; name: string; limit: RateLimit };
type Look = Share & { label: LimitState["label"]; name: string; log: Log; remaining: number; waitMs: number; resetMs: number };

/** Limits held by this process alone, exactly, in bounded memory. */
export class LocalLimits {
  private readonly logs = new Map<string, Log>();

  /** @param share the process may admit one `share`-th of a limit (at least 1 per window). */
  constructor(private readonly share: number) {}

  /**
   * Takes one from each limit, or from none; `cost: 0` only looks.
   * @param limits at least one
   * @returns with it how this process's shares stand: of each limit in `states`, and in `state` of the one that the caller should
   *   hear about, as in the script's `takeAll`
   */
  take(limits: Named[], cost: 0 | 1 = 1): Taken & { state: LimitState; states: LimitState[] } {
    const at = now();
    const looks = limits.map((limit) => this.look(limit, at));
    const slowest = looks.reduce((one, other) => (other.waitMs > one.waitMs ? other : one));
    if (slowest.waitMs > 0) return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(slowest.waitMs / 1000)), state: stateOf(slowest), states: looks.map(stateOf) };
    const left = cost > 0 ? looks.map((look) => this.keep(look, at)) : looks;
    const tightest = left.reduce((one, other) => (other.remaining < one.remaining ? other : one));
    return { ok: true, remaining: tightest.remaining, at, state: stateOf(tightest), states: left.map(stateOf) };
  }

  /** Shares above `timesMax` are held over a shorter window in proportion: stricter, and memory stays bounded. */
  private shareOf(limit: RateLimit): Share {
    const requests = Math.max(1, Math.floor(limit.requests / this.share));
    const windowMs = limit.window * 1000;
    return requests <= timesMax ? { requests, windowMs } : { requests: timesMax, windowMs: Math.ceil((windowMs * timesMax) / requests) };
  }

  private look({ label, name, limit }: Named, at: number): Look {
    const { requests, windowMs } = this.shareOf(limit);
    const log = this.logs.get(name) ?? { times: [], head: 0, endsAt: 0 };
    while (log.head < log.times.length && at - (log.times[log.head] ?? 0) >= windowMs) log.head += 1;
    const count = log.times.length - log.head;
    const waitMs = count < requests ? 0 : (log.times[log.head + count - requests] ?? at) + windowMs - at;
    return { label, name, requests, windowMs, log, remaining: Math.max(0, requests - count), waitMs, resetMs: count > 0 ? (log.times.at(-1) ?? at) + windowMs : at };
  }

  private keep(look: Look, at: number): Look {
    const { name, log, windowMs } = look;
    if (log.head > log.times.length / 2) Object.assign(log, { times: log.times.slice(log.head), head: 0 });
    log.times.push(at);
    log.endsAt = at + windowMs;
    // Insertion order becomes order of last use: the first names are the ones to forget.
    this.logs.delete(name);
    this.logs.set(name, log);
    for (const [old, { endsAt }] of this.logs) {
      if (endsAt > at && this.logs.size <= namesMax) break;
      this.logs.delete(old);
    }
    return { ...look, remaining: look.remaining - 1, resetMs: log.endsAt };
  }
}

/** A window that is no whole number of seconds is told as a longer one: whoever keeps to that is never refused. */
const stateOf = ({ label, requests, windowMs, remaining, resetMs }: Look): LimitState => ({ label, limit: requests, windowSeconds: Math.ceil(windowMs / 1000), remaining, resetMs });

/** While Redis is away a process admits a tenth: with ten replicas the limit still holds. */
export const degradedLimits = new LocalLimits(10);
/** What each process counts for itself: see `countHere`. */
export const processLimits = new LocalLimits(1);
