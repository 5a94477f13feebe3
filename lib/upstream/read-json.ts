import type { Readable } from "node:stream";
import { SluiceError } from "@/lib/platform/errors";

/** The whole body as text. @throws SluiceError `upstream_error` past `bytesMax`: an engine must not fill our memory. */
export async function readText(body: Readable, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) {
      body.destroy();
      throw new SluiceError("upstream_error", "The engine's answer is too large.");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as JSON, null when it is empty. @throws SluiceError `upstream_error` when it is something else, such as a web page. */
export async function readJson(answer: { body: Readable }, bytesMax = 32 * 1024 * 1024): Promise<unknown> {
  const text = await readText(answer.body, bytesMax);
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("upstream_error", "The engine's answer is not JSON.", { cause });
  }
}
