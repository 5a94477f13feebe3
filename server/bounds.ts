import type { IncomingMessage } from "node:http";
import { SluiceError } from "@/lib/platform/errors";

/**
 * What a request for a page may look like. Next.js spends time that grows with the square of the number of query parameters, on its
 * one thread: measured 3 to 5 s for what fits into 16 KiB of header. The longest addresses of our own are Keycloak's way back
 * (about 1,500 characters) and filters; browsers send some 20 headers.
 */
export const pageBounds = { addressCharactersMax: 4096, parametersMax: 100, headersMax: 100, cookiesMax: 100 } as const;

/** Bytes of a page's body: server actions and Auth.js's forms. Next.js has the same limit for actions. */
export const pageBodyBytesMax = 1_048_576;

/** Methods that a page may answer. */
export const pageMethods = "GET, HEAD, POST, OPTIONS";

/** @throws SluiceError `address_too_long`, `bad_request`, `headers_too_large`, `body_too_large` */
export function requirePageBounds({ url = "/", headers, rawHeaders }: IncomingMessage): void {
  const { addressCharactersMax, parametersMax, headersMax, cookiesMax } = pageBounds;
  if (url.length > addressCharactersMax) throw new SluiceError("address_too_long", `The address may have at most ${addressCharactersMax} characters.`);
  if (countOf(url, "&") + countOf(url, ";") >= parametersMax) throw new SluiceError("bad_request", `The address may have at most ${parametersMax} query parameters.`);
  if (rawHeaders.length / 2 > headersMax) throw new SluiceError("headers_too_large", `A request may have at most ${headersMax} headers.`);
  if (countOf(headers.cookie ?? "", ";") >= cookiesMax) throw new SluiceError("headers_too_large", `A request may have at most ${cookiesMax} cookies. Delete this site's cookies and try again.`);
  if (Number(headers["content-length"] ?? 0) > pageBodyBytesMax) throw bodyTooLarge();
  if (!isDecodable(url)) throw new SluiceError("bad_request", "The address is not well-formed.");
}

export const bodyTooLarge = () => new SluiceError("body_too_large", `The body may have at most ${pageBodyBytesMax} bytes.`);

function countOf(text: string, sign: string): number {
  let count = 0;
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) count += 1;
  return count;
}

/** Next.js answers a broken escape with a 500 of its own. */
function isDecodable(url: string): boolean {
  try {
    decodeURI(url);
    return true;
  } catch {
    return false;
  }
}
