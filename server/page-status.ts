import type { IncomingMessage, ServerResponse } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/** Faces that Next.js would send with 200, although they say that something did not work. */
const faces = new Map([["/identity-unavailable", 503], ["/no-access", 403]]);
const retryAfterSeconds = 5;

/** Has the faces that tell of a failure carry its status, whatever writes the answer. A script of ours that follows a link wants 200 for any face. */
export function nameFaces(request: IncomingMessage, response: ServerResponse): void {
  const status = faces.get((request.url ?? "").split("?", 1)[0]?.replace(/\/$/, "") ?? "");
  if (status === undefined || request.method === "POST" || request.headers.rsc !== undefined) return;
  const write = response.writeHead.bind(response) as (code: number, ...rest: unknown[]) => ServerResponse;
  response.writeHead = (code: number, ...rest: unknown[]) => {
    if (code !== 200) return write(code, ...rest);
    if (status === 503) response.setHeader("Retry-After", String(retryAfterSeconds));
    return write(status, ...rest);
  };
}

const decoders: Record<string, (bytes: Buffer) => Buffer> = { gzip: gunzipSync, br: brotliDecompressSync, deflate: inflateSync };
const away = /sluice\.(store_unavailable|identity_unavailable|auth_busy)/;

/**
 * Next.js answers 500 whenever a page fails. What failed stands in the page as the error's digest: a store or Keycloak that is away is a 503.
 *
 * @param body of the 500, as it is encoded.
 */
export function statusOfFailure(body: Buffer, encoding: string | undefined): 500 | 503 {
  try {
    const decode = encoding ? decoders[encoding] : undefined;
    return away.test((decode ? decode(body) : body).toString("latin1")) ? 503 : 500;
  } catch {
    return 500;
  }
}

export const retryAfter = { "retry-after": String(retryAfterSeconds) };
