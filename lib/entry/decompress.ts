import { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";

const decoders = { gzip: createGunzip, "x-gzip": createGunzip, deflate: createInflate, br: createBrotliDecompress };
const accepted = "gzip, deflate, br";

export type Encoding = keyof typeof decoders;

/**
 * What a body is compressed with (RFC 9110, section 8.4), or null for one that is sent as it is.
 * @throws SluiceError `unsupported_media_type` for another encoding, or several
 */
export function encodingOf(header: string | undefined): Encoding | null {
  const name = header?.trim().toLowerCase() ?? "";
  if (name === "" || name === "identity") return null;
  if (Object.hasOwn(decoders, name)) return name as Encoding;
  throw new SluiceError("unsupported_media_type", `Send the body as it is, or compressed with one of ${accepted}.`, { headers: { "Accept-Encoding": accepted } });
}

/** A compressed body as what it stands for, a piece at a time: whoever stops reading at a bound has made no more than that. @throws SluiceError `bad_request` */
export async function* decompressed(body: AsyncIterable<Uint8Array>, encoding: Encoding): AsyncGenerator<Uint8Array> {
  const decoder = decoders[encoding]();
  const source = Readable.from(body, { objectMode: false });
  source.on("error", (error) => decoder.destroy(error)).pipe(decoder);
  try {
    for await (const piece of decoder) yield piece as Uint8Array;
  } catch (cause) {
    if (isSluiceError(cause)) throw cause;
    throw new SluiceError("bad_request", `The body is not what its Content-Encoding says, which is ${encoding}.`, { cause });
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
