import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** What a test may make go wrong at the token endpoint. The stand-in and the front of a real Keycloak take the same orders. */
export const faultOrder = {
  /** Before Keycloak hears of the call; of a caller who leaves meanwhile it never hears. */
  tokenDelayMs: z.int().min(0).max(600_000).optional(),
  /** After Keycloak did its work, before the caller hears of it. */
  tokenHoldMs: z.int().min(0).max(600_000).optional(),
  /** The connection breaks: `request` before Keycloak hears of the call, `answer` after it did its work. */
  tokenDrop: z.enum(["request", "answer"]).nullable().optional(),
  /** Anything below 400, or null, ends it. */
  tokenStatus: z.int().min(0).max(599).nullable().optional(),
  /** Goes with `tokenStatus`. */
  tokenRetryAfter: z.string().max(50).nullable().optional(),
  tokenError: z.string().regex(/^[a-z_]{1,50}$/).nullable().optional(),
  /** Goes with `tokenError`. */
  tokenDescription: z.string().max(200).nullable().optional(),
  /** What answers say of their access token's life, in seconds; the token itself lives on. */
  tokenExpiresIn: z.int().min(0).max(86_400).nullable().optional(),
  /** Only calls of these grant types meet a fault; null: all. */
  tokenGrants: z.array(z.string().max(100)).max(10).nullable().optional(),
  /** So many calls meet the faults, and then no more; null: all. `tokenExpiresIn` does not count. */
  tokenTimes: z.int().min(1).max(100_000).nullable().optional(),
};
export type FaultOrder = z.input<z.ZodObject<typeof faultOrder>>;

/** An answer in Keycloak's place. */
export type Instead = { status: number; headers: Record<string, string>; body: { error: string; error_description: string } };
/** What becomes of one call. `hold` is to be waited for once Keycloak has answered. */
export type Fate = { kind: "lost" } | { kind: "instead"; answer: Instead } | { kind: "passed"; loseAnswer: boolean; hold(): Promise<void> };

const quiet = { delayMs: 0, holdMs: 0, drop: null as "request" | "answer" | null, status: null as number | null, retryAfter: null as string | null, error: null as string | null, description: null as string | null, expiresIn: null as number | null, grants: null as string[] | null, times: null as number | null };

export class Faults {
  private now = { ...quiet };

  reset(): void {
    this.now = { ...quiet };
  }

  apply(order: FaultOrder): void {
    const { now } = this;
    now.delayMs = order.tokenDelayMs ?? now.delayMs;
    now.holdMs = order.tokenHoldMs ?? now.holdMs;
    if (order.tokenDrop !== undefined) now.drop = order.tokenDrop;
    if (order.tokenStatus !== undefined) now.status = (order.tokenStatus ?? 0) >= 400 ? order.tokenStatus : null;
    if (order.tokenRetryAfter !== undefined) now.retryAfter = order.tokenRetryAfter;
    if (order.tokenError !== undefined) now.error = order.tokenError;
    if (order.tokenDescription !== undefined) now.description = order.tokenDescription;
    if (order.tokenExpiresIn !== undefined) now.expiresIn = order.tokenExpiresIn;
    if (order.tokenGrants !== undefined) now.grants = order.tokenGrants;
    if (order.tokenTimes !== undefined) now.times = order.tokenTimes;
  }

  /** To be asked once for each call, before Keycloak is. */
  async meet(grantType: string | undefined, res: ServerResponse): Promise<Fate> {
    const { delayMs, holdMs, drop, status, retryAfter, error, description, grants, times } = this.now;
    const harmless = delayMs === 0 && holdMs === 0 && drop === null && status === null && error === null;
    if (harmless || times === 0 || (grants && !grants.includes(grantType ?? ""))) return passed();
    if (times !== null) this.now.times = times - 1;
    await sleep(delayMs);
    if (drop === "request" || res.destroyed) return { kind: "lost" };
    if (status !== null) return { kind: "instead", answer: { status, headers: retryAfter === null ? {} : { "retry-after": retryAfter }, body: { error: "unknown_error", error_description: "Asked for by a test" } } };
    if (error !== null) return { kind: "instead", answer: { status: statusOf(error), headers: {}, body: { error, error_description: description ?? "Asked for by a test" } } };
    return { kind: "passed", loseAnswer: drop === "answer", hold: () => sleep(holdMs) };
  }

  /** Says of a token what a test wants said of its life. */
  rewritten(answer: unknown): unknown {
    const { expiresIn } = this.now;
    if (expiresIn === null || typeof answer !== "object" || answer === null || !("expires_in" in answer)) return answer;
    return { ...answer, expires_in: expiresIn };
  }
}

const passed = (): Fate => ({ kind: "passed", loseAnswer: false, hold: async () => undefined });

function statusOf(error: string): number {
  if (error === "invalid_client" || error === "unauthorized_client") return 401;
  return error === "access_denied" ? 403 : 400;
}
