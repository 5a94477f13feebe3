import { describe, expect, it } from "vitest";
import { type Frame, readFrames } from "./read-frames";

async function frames(chunks: string[]): Promise<Frame[]> {
  const bytes = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({ start(controller) { for (const chunk of chunks) controller.enqueue(bytes.encode(chunk)); controller.close(); } });
  const all: Frame[] = [];
  for await (const frame of readFrames(body)) all.push(frame);
  return all;
}

describe("reading a prediction stream", () => {
  const text = 'message:\ndata:{"event":"start","data":"…"}\n\n:heartbeat\n\nmessage:\ndata:{"event":"token","data":"grüß\\n dich"}\n\nmessage:\ndata:{"event":"end","data":"[DONE]"}\n\n';
  const expected = [{ event: "start", data: "…" }, { event: "token", data: "grüß\n dich" }, { event: "end", data: "[DONE]" }];

  it("finds every frame however the bytes are cut", async () => {
    for (const size of [1, 2, 3, 7, 64, 1000]) {
      const bytes = new TextEncoder().encode(text);
      const body = new ReadableStream<Uint8Array>({ start(c) { for (let i = 0; i < bytes.length; i += size) c.enqueue(bytes.slice(i, i + size)); c.close(); } });
      const all: Frame[] = [];
      for await (const frame of readFrames(body)) all.push(frame);
      expect(all, `chunks of ${size}`).toEqual(expected);
    }
  });

  it("skips what is no frame, and reads a last line without its end", async () => {
    expect(await frames(["event: x\ndata: not json\n\ndata:[1]\n\n", 'data:{"event":"end"}'])).toEqual([{ event: "end", data: undefined }]);
  });
});
