import type { ApiContext } from "./api";

/**
 * Request and response headers where they already are. On our own door Node has parsed the one and will write the other;
 * web `Headers` in between check every character again and cost more than a key check. Inside Next.js there is only those.
 */
export function requestHeader(c: ApiContext, name: string): string | undefined {
  const incoming = c.env?.incoming;
  if (!incoming) return c.req.header(name);
  const value = incoming.headers[name];
  // Node keeps the first of several and says nothing; whoever sends two must hear of it.
  if (name === "authorization" && value !== undefined) return incoming.headersDistinct.authorization?.join(", ");
  return Array.isArray(value) ? value.join(", ") : value;
}

/** For an answer that is not sent yet; what a route says itself of the same header wins. */
export function setHeader(c: ApiContext, name: string, value: string): void {
  const outgoing = c.env?.outgoing;
  if (outgoing) outgoing.setHeader(name, value);
  else c.header(name, value);
}
