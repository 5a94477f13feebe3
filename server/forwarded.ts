import type { IncomingMessage } from "node:http";
import { clientAddress, clientAddressHeader, innerSecretHeader } from "@/lib/platform/client-address";
import { env } from "@/lib/platform/env";

export const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "trailer", "expect"]);

/** Whether a body follows, which its headers say (RFC 9112, section 6). */
export const hasBody = ({ headers }: IncomingMessage) => headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
/** Headers by which a proxy speaks of its client: ours to set, never a caller's. */
const ours = /^(host|content-length|x-request-id|forwarded|x-forwarded-.*|x-real-ip|x-client-ip|x-sluice-.*|x-middleware-.*|x-user-.*)$/;

/** The caller's address, as far as the proxies in front of us are believed. */
export function callerAddress(request: IncomingMessage): string | null {
  return clientAddress(request.socket.remoteAddress, request.headers["x-forwarded-for"]?.toString());
}

/** What Next.js is shown of a request, as names and values in turn: the caller's headers without those that are ours to say. */
export function forwardedHeaders(request: IncomingMessage, innerSecret: string, requestId: string): string[] {
  const named = new Set((request.headers.connection ?? "").toLowerCase().split(",").map((s) => s.trim()));
  const kept: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase();
    if (!hopByHop.has(name) && !ours.test(name) && !named.has(name)) kept.push(request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? "");
  }
  const origin = new URL(env().AUTH_URL);
  const address = callerAddress(request) ?? "";
  // One public address exists, whatever Host somebody sends: actions compare it with the Origin.
  return [...kept, "host", origin.host, "x-forwarded-host", origin.host, "x-forwarded-proto", origin.protocol.slice(0, -1), "x-forwarded-for", address, clientAddressHeader, address, innerSecretHeader, innerSecret, "x-request-id", requestId];
}
