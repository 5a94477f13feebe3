/** How the limit that matters most stands: for a refused call the one that refused, else the one with the least left. */
export type LimitState = { label: "key" | "user" | "tenant" | "address"; limit: number; windowSeconds: number; remaining: number; /** When the budget is full again, in ms. */ resetMs: number };

/**
 * `X-RateLimit-*` and the IETF draft's fields (draft-ietf-httpapi-ratelimit-headers).
 * @param nowMs by the clock that made the state: Redis's, or this process's while Redis is away.
 */
export function rateHeaders(state: LimitState, nowMs: number): Record<string, string> {
  const untilFull = Math.max(0, Math.ceil((state.resetMs - nowMs) / 1000));
  return {
    "X-RateLimit-Limit": String(state.limit),
    "X-RateLimit-Remaining": String(state.remaining),
    "X-RateLimit-Reset": String(Math.ceil(state.resetMs / 1000)),
    "RateLimit-Policy": `"${state.label}";q=${state.limit};w=${state.windowSeconds}`,
    RateLimit: `"${state.label}";r=${state.remaining};t=${untilFull}`,
  };
}
