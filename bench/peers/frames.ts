import type { BenchFlow } from "./flows";

export const frameOf = (event: string, data: unknown) => Buffer.from(`message:\ndata:${JSON.stringify({ event, data })}\n\n`);
export const firstFrame = frameOf("start", "");
export const lastFrame = frameOf("end", "[DONE]");
export const tokenFrames = Array.from({ length: 100 }, (_, i) => frameOf("token", ` word-${i}`));

/** Every byte of a flow's stream, as it must arrive. */
export function streamFrames({ tokens = 0 }: BenchFlow): Buffer {
  return Buffer.concat([firstFrame, ...tokenFrames.slice(0, tokens), lastFrame]);
}
