import type { RateLimit } from "@/lib/access";
import { now } from "@/lib/platform/clock";

export type Taken = { ok: true; remaining: number; /** The moment under which it was counted, in ms. */ at: number } | { ok: false; retryAfterSeconds: number };

const timesMax = 2048;
const namesMax = 5000;

/** Times of admitted calls, oldest first; what stands before `head` has left the window. */
type Log = { times: number[]; head: number; endsAt: number };
type Share = { requests: number; windowMs: number };

/** Limits held by this process alone, exactly, in bounded memory. */
export class LocalLimits {
  private readonly logs = new Map<string, Log>();

  /** @param share the process may admit one `share`-th of a limit (at least 1 per window). */
  constructor(private readonly share: number) {}

  /** Takes one from each limit, or from none; `cost: 0` only looks. */
  take(limits: { name: string; limit: RateLimit }[], cost: 0 | 1 = 1): Taken {
    const at = now();
    const states = limits.map(({ name, limit }) => this.look(name, this.shareOf(limit), at));
    const waitMs = Math.max(0, ...states.map((state) => state.waitMs));
    if (waitMs > 0) return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
    if (cost > 0) for (const state of states) this.keep(state.name, state.log, at, state.windowMs);
    return { ok: true, remaining: Math.min(...states.map((state) => state.remaining)) - cost, at };
  }

  /** Shares above `timesMax` are held over a shorter window in proportion: stricter, and memory stays bounded. */
  private shareOf(limit: RateLimit): Share {
    const requests = Math.max(1, Math.floor(limit.requests / this.share));
    const windowMs = limit.window * 1000;
    return requests <= timesMax ? { requests, windowMs } : { requests: timesMax, windowMs: Math.ceil((windowMs * timesMax) / requests) };
  }

  private look(name: string, { requests, windowMs }: Share, at: number) {
    const log = this.logs.get(name) ?? { times: [], head: 0, endsAt: 0 };
    while (log.head < log.times.length && at - (log.times[log.head] ?? 0) >= windowMs) log.head += 1;
    const count = log.times.length - log.head;
    const waitMs = count < requests ? 0 : (log.times[log.head + count - requests] ?? at) + windowMs - at;
    return { name, windowMs, log, remaining: requests - count, waitMs };
  }

  private keep(name: string, log: Log, at: number, windowMs: number): void {
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
  }
}

/** While Redis is away a process admits a tenth: with ten replicas the limit still holds. */
export const degradedLimits = new LocalLimits(10);
/** Wrong checksums never reach a store; each process counts its own. */
export const checksumLimits = new LocalLimits(1);
