import { SluiceError } from "@/lib/platform/errors";
import type { UpstreamAnswer } from "./call-upstream";
import { translated } from "./failures";

/**
 * The whole body as text.
 *
 * @throws SluiceError `upstream_error` past `bytesMax` (an engine must not fill our memory) and when it broke off, `upstream_timeout`
 */
export async function readText(answer: UpstreamAnswer, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytesMax) throw new SluiceError("upstream_error", "The engine's answer is too large.");
      chunks.push(chunk);
    }
  } catch (error) {
    throw translated(error, answer.request);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as JSON, null when it is empty. @throws SluiceError as above, and `upstream_error` when it is something else, such as a web page. */
export async function readJson(answer: UpstreamAnswer, bytesMax = 32 * 1024 * 1024): Promise<unknown> {
  const text = await readText(answer, bytesMax);
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("upstream_error", "The engine's answer is not JSON.", { cause });
  }
}
