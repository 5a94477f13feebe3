import { z } from "zod";

const Control = z.strictObject({
  /** The next calls answer with this status instead of doing anything. */
  failNext: z.strictObject({ status: z.int().min(400).max(599), times: z.int().min(1).default(1), retryAfter: z.int().min(0).optional(), body: z.unknown().optional() }).optional(),
  /** The next calls are told that their token is not accepted. */
  unauthorizedNext: z.int().min(0).optional(),
  /** Before anything else happens. */
  delayMs: z.int().min(0).max(600_000).optional(),
  /** Between the pieces of a stream. */
  chunkDelayMs: z.int().min(0).max(60_000).optional(),
  reset: z.literal(true).optional(),
});

export type Failure = { status: number; retryAfter?: number; body?: unknown };

/** What a test may make go wrong at an engine's stand-in, through `POST /__control`. */
export class Faults {
  delayMs = 0;
  chunkDelayMs: number;
  private failing: (Failure & { times: number }) | null = null;
  private unauthorized = 0;

  constructor(private readonly usualChunkDelayMs = 0) {
    this.chunkDelayMs = usualChunkDelayMs;
  }

  /** @param raw JSON, whatever its media type says. @returns what is wrong with the order, or null when it was carried out. */
  apply(raw: Buffer): string | null {
    let order: unknown;
    try {
      order = JSON.parse(raw.toString("utf8"));
    } catch {
      return "must be JSON";
    }
    const parsed = Control.safeParse(order);
    if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    const { failNext, unauthorizedNext, delayMs, chunkDelayMs, reset } = parsed.data;
    if (reset) {
      this.failing = null;
      this.unauthorized = 0;
      this.delayMs = 0;
      this.chunkDelayMs = this.usualChunkDelayMs;
    }
    if (failNext) this.failing = { ...failNext };
    this.unauthorized = unauthorizedNext ?? this.unauthorized;
    this.delayMs = delayMs ?? this.delayMs;
    this.chunkDelayMs = chunkDelayMs ?? this.chunkDelayMs;
    return null;
  }

  nextFailure(): Failure | null {
    if (!this.failing || this.failing.times === 0) return null;
    this.failing.times--;
    return this.failing;
  }

  /** Whether this call is to be told that its token is not accepted. */
  nextUnauthorized(): boolean {
    if (this.unauthorized === 0) return false;
    this.unauthorized--;
    return true;
  }
}

export const pause = (ms: number) => new Promise<void>((done) => (ms > 0 ? setTimeout(done, ms) : done()));
