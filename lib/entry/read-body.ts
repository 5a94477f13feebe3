import { SluiceError } from "@/lib/platform/errors";
import type { ApiContext } from "./api";

/**
 * The body as text, at most `limit` bytes. A declared length above it is refused before a byte is read, a stream that
 * grows past it as soon as it does: "without reading on".
 */
export async function readBody(c: ApiContext, limit: number): Promise<string> {
  const tooLarge = () => new SluiceError("body_too_large", `The body may have at most ${limit} bytes.`);
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > limit) throw tooLarge();
  const stream = c.req.raw.body;
  if (!stream) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new SluiceError("bad_request", "The body ended early.", { cause });
    });
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    chunks.push(value);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new SluiceError("malformed_json", "The body is not UTF-8.", { cause });
  }
}
