import type { IncomingMessage, ServerResponse } from "node:http";
import { flowSettings } from "./flow-store";
import type { Flow } from "./flows";
import { text } from "./replies";

type Limit = { max: number; durationMs: number; message: string };

/**
 * Flowise's limit per flow and client address. A PUT or a start of the server arms it, a create alone does not. Every
 * `X-Forwarded-For` is believed, as in Flowise by default: callers can evade it, and a gateway that sends none is one caller.
 */
export class RateLimits {
  private readonly armed = new Map<string, Limit>();
  private windows = new Map<string, { used: number; endsAt: number }>();

  arm(flow: Flow): void {
    const limit = flowSettings(flow).rateLimit;
    this.armed.delete(flow.id);
    if (limit?.status !== true) return;
    this.armed.set(flow.id, { max: limit.limitMax ?? 0, durationMs: (limit.limitDuration ?? 60) * 1000, message: limit.limitMsg ?? "Too many requests" });
  }

  disarm(flowId: string): void {
    this.armed.delete(flowId);
  }

  /** Forgets what was counted. */
  forget(): void {
    this.windows = new Map();
  }

  /** Counts a call and names the limit in the reply's headers. @returns false when it is used up; it has been answered then. */
  allows(req: IncomingMessage, res: ServerResponse, flowId: string): boolean {
    const limit = this.armed.get(flowId);
    if (!limit) return true;
    const now = Date.now();
    const key = `${flowId} ${addressOf(req)}`;
    let window = this.windows.get(key);
    if (!window || window.endsAt <= now) this.windows.set(key, (window = { used: 0, endsAt: now + limit.durationMs }));
    window.used++;
    res.setHeader("x-ratelimit-limit", String(limit.max));
    res.setHeader("x-ratelimit-remaining", String(Math.max(0, limit.max - window.used)));
    res.setHeader("x-ratelimit-reset", String(Math.ceil(window.endsAt / 1000)));
    if (window.used <= limit.max) return true;
    text(res, 429, limit.message, { "retry-after": String(Math.ceil((window.endsAt - now) / 1000)) });
    return false;
  }
}

function addressOf(req: IncomingMessage): string {
  const forwarded = [req.headers["x-forwarded-for"]].flat().join(",").split(",")[0]?.trim();
  return forwarded || (req.socket.remoteAddress ?? "");
}
