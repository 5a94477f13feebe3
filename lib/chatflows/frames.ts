import { Transform, type TransformCallback } from "node:stream";
import { type ConversationIds, withGivenIds } from "./conversation-ids";

/** What a stream has shown so far; credits are settled by it. */
export type Seen = { token: boolean; error: boolean; end: boolean };

/** Above this a frame is no frame, and the stream is cut rather than kept in memory. */
export const frameBytesMax = 16 * 1024 * 1024;

/** One frame in Flowise's form, byte for byte: an unknown field, the data without a space, an empty line. */
export function frameOf(event: string, data: unknown): Buffer {
  return Buffer.from(`message:\ndata:${JSON.stringify({ event, data })}\n\n`);
}

/**
 * Passes Flowise's stream on, frame by frame as they become complete: frames that show how the flow is built are left out
 * (unless `showExecuted`), `metadata` gets the caller's ids back, everything else, heartbeats included, passes byte for byte.
 * A frame that never became complete is left out too: its beginning could be one that must not pass.
 */
export class FrameFilter extends Transform {
  readonly seen: Seen = { token: false, error: false, end: false };
  private rest: Buffer = Buffer.alloc(0);

  /** @param options.beforeEnd awaited before `end` goes out: whoever has seen it may rely on what was done by then. */
  constructor(private readonly options: { ids: ConversationIds; showExecuted: boolean; beforeEnd?: () => Promise<void> }) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.sift(chunk).then(() => done(), done);
  }

  private async sift(chunk: Buffer): Promise<void> {
    // The end of a frame may lie across the border of two chunks: look again at the last byte before it.
    let from = Math.max(0, this.rest.length - 1);
    this.rest = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
    for (;;) {
      const at = this.rest.indexOf("\n\n", from);
      if (at === -1) break;
      const out = this.judge(this.rest.subarray(0, at + 2));
      if (this.seen.end) await this.options.beforeEnd?.();
      if (out) this.push(out);
      this.rest = this.rest.subarray(at + 2);
      from = 0;
    }
    if (this.rest.length > frameBytesMax) throw new Error("a frame is too large");
  }

  override _flush(done: TransformCallback): void {
    this.rest = Buffer.alloc(0);
    done();
  }

  private judge(frame: Buffer): Buffer | null {
    const parsed = parseFrame(frame.toString("utf8"));
    if (!parsed) return frame;
    const { event, data } = parsed;
    if (event === "agentFlowExecutedData" && !this.options.showExecuted) return null;
    if (event === "token" && data !== "") this.seen.token = true;
    if (event === "error") this.seen.error = true;
    if (event === "end") this.seen.end = true;
    if (event === "metadata" && typeof data === "object" && data !== null) return frameOf(event, withGivenIds(data as Record<string, unknown>, this.options.ids));
    return frame;
  }
}

/** The event inside a frame; null for comments and what is not in Flowise's form. */
export function parseFrame(text: string): { event: string; data: unknown } | null {
  const line = text.split("\n").find((l) => l.startsWith("data:"));
  if (!line) return null;
  try {
    const value = JSON.parse(line.slice(5)) as { event?: unknown; data?: unknown };
    return typeof value?.event === "string" ? { event: value.event, data: value.data } : null;
  } catch {
    return null;
  }
}
