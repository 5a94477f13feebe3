import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { env } from "@/lib/platform/env";
import { forwardedHeaders } from "./forwarded";
import { requestIdHeader } from "./refuse";

/** Whatever answers the pages: Next.js behind a pipe, or in this process. */
export type Pages = {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Only where a WebSocket is answered, which is in development. */
  upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  stop(): Promise<unknown>;
};

/** Next.js in this very process (`SERVER_MODE=single`): one process less, and page renders in the way of API calls. */
export async function pagesInside(innerSecret: string): Promise<Pages> {
  const development = env().NODE_ENV === "development";
  // The page side reads it to believe the client address that the door resolved.
  process.env.SLUICE_INNER_SECRET = innerSecret;
  const { default: next } = await import("next");
  // Next.js would listen for upgrades on our own server, and then they could not be ignored: it gets one that never listens.
  const app = next({ dev: development, hostname: "localhost", port: env().PORT, httpServer: createServer() });
  await app.prepare();
  const answer = app.getRequestHandler();
  const upgrade = app.getUpgradeHandler();
  return {
    handle(request, response) {
      replaceHeaders(request, forwardedHeaders(request, innerSecret, String(response.getHeader(requestIdHeader))));
      void answer(request, response);
    },
    ...(development && { upgrade: (request, socket, head) => void upgrade(request, socket as never, head) }),
    stop: () => app.close(),
  };
}

/** Node keeps what came in twice: as it was sent, and by name. */
function replaceHeaders(request: IncomingMessage, headers: string[]): void {
  const body = ["content-length", "transfer-encoding"].flatMap((name) => (request.headers[name] ? [name, String(request.headers[name])] : []));
  request.rawHeaders = [...headers, ...body];
  const named: IncomingMessage["headers"] = {};
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? "").toLowerCase();
    const value = request.rawHeaders[i + 1] ?? "";
    named[name] = name in named ? `${String(named[name])}${name === "cookie" ? "; " : ", "}${value}` : value;
  }
  request.headers = named;
}
