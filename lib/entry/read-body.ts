import { clientClosed, SluiceError } from "@/lib/platform/errors";
import type { ApiContext } from "./api";
import { freeBytes, roomFor } from "./body-budget";
import { decompressed, encodingOf } from "./decompress";
import { requestHeader } from "./headers";
import { callerHasLeft } from "./observed";

/**
 * The body as text, at most `limit` bytes, counted after decompression. A declared length above it is refused before a byte is read, a stream that
 * grows past it as soon as it does. What the client goes on sending is thrown away by the door.
 */
export async function readBody(c: ApiContext, limit: number): Promise<string> {
  const tooLarge = () => new SluiceError("body_too_large", `The body may have at most ${limit} bytes.`);
  const declared = Number(requestHeader(c, "content-length") ?? 0);
  if (declared > limit) throw tooLarge();
  const encoding = encodingOf(requestHeader(c, "content-encoding"));
  // How long a compressed body will be shows as it comes, as with one that does not say its length.
  const isOpenEnded = declared === 0 || encoding !== null;
  let release = await keepRoom(c, isOpenEnded ? 0 : declared);
  try {
    // Decoded as it comes, so that it is not held twice.
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    let size = 0;
    for await (const chunk of encoding ? decompressed(bodyOf(c), encoding) : bodyOf(c)) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge();
      if (isOpenEnded && size > freeBytes && size - chunk.byteLength <= freeBytes) release = await keepRoom(c, limit);
      text += decode(decoder, chunk);
    }
    return text + decode(decoder);
  } catch (error) {
    release();
    throw error;
  }
}

/** Held until the answer has ended or its caller has left: the parsed body lives as long as its handler. */
async function keepRoom(c: ApiContext, bytes: number): Promise<() => void> {
  const release = await roomFor(bytes);
  const outgoing = c.env?.outgoing;
  if (!outgoing || outgoing.destroyed) release();
  else outgoing.once("close", release);
  return release;
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw new SluiceError("malformed_json", "The body is not UTF-8.", { cause });
  }
}

/** On our own door the socket's stream itself: a Request with a web stream around it would cost more than all the parsing. */
async function* bodyOf(c: ApiContext): AsyncGenerator<Uint8Array> {
  // Left open when reading stops early: destroying it would reset the connection, and the client would lose our answer.
  const stream: AsyncIterable<Uint8Array> | null = c.env?.incoming?.iterator({ destroyOnReturn: false }) ?? (c.req.raw.body as AsyncIterable<Uint8Array> | null);
  try {
    if (stream) yield* stream;
  } catch (cause) {
    // Node breaks a body off for a caller who left, also one that had arrived whole and was not read yet.
    if (callerHasLeft(c)) throw clientClosed(cause);
    throw new SluiceError("bad_request", "The body ended early.", { cause });
  }
}
