/** One event of a prediction stream: the name and data stand together inside the JSON of a `data:` line. */
export type Frame = { event: string; data: unknown };

/**
 * Reads a prediction stream. Frames are `message:` and `data:{"event","data"}` lines closed by an empty one; lines that
 * are no data (comments that keep the line open, unknown fields) are skipped, as any reader of event streams must.
 */
export async function* readFrames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const frame = frameOf(line);
        if (frame) yield frame;
      }
    }
    const last = frameOf(rest);
    if (last) yield last;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function frameOf(line: string): Frame | null {
  if (!line.startsWith("data:")) return null;
  try {
    const value: unknown = JSON.parse(line.slice(5));
    return typeof value === "object" && value !== null && "event" in value && typeof value.event === "string" ? { event: value.event, data: "data" in value ? value.data : undefined } : null;
  } catch {
    return null;
  }
}
