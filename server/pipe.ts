import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { Pool } from "undici";
import { addressLimitName } from "@/lib/keys";
import { env } from "@/lib/platform/env";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { callerAddress, forwardedHeaders, hopByHop } from "./forwarded";
import type { Pages } from "./pages";
import { refuse } from "./refuse";

/** Requests under way at once, of all and of one address: each holds a connection to the page process from its headers on, and nobody may hold them all. Half of them is no hindrance to an office behind one address. */
const connectionsMax = 256;
const perAddressMax = 128;

/**
 * Pipes requests to the page process on its loopback port, sockets to sockets: nothing is buffered, a slow side slows the
 * other, and who leaves is left.
 */
export function pipeTo(port: number, options: { innerSecret: string; upgrades: boolean }): Pages {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: connectionsMax, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const underWay = new Map<string, number>();
  return {
    handle(request, response) {
      const from = addressLimitName(callerAddress(request)) ?? "";
      const before = underWay.get(from) ?? 0;
      if (before >= perAddressMax) return refuse(response, 429, "Too many pages are being asked for from your address. Try again in a moment.");
      underWay.set(from, before + 1);
      const gone = new AbortController();
      const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
      const tooSlow = hasBody ? setTimeout(() => {
        if (request.complete) return;
        if (response.headersSent) response.destroy();
        else refuse(response, 408, "The request took too long to arrive.");
      }, env().PAGE_BODY_SECONDS * 1000) : undefined;
      response.once("close", () => {
        clearTimeout(tooSlow);
        const left = (underWay.get(from) ?? 1) - 1;
        if (left === 0) underWay.delete(from);
        else underWay.set(from, left);
        if (!response.writableFinished || !request.complete) gone.abort();
      });
      pool.stream({ method: request.method as "GET", path: request.url ?? "/", headers: forwardedHeaders(request, options.innerSecret), body: hasBody ? request : null, signal: gone.signal, opaque: null },
        ({ statusCode, headers }) => {
          metrics.httpRequests.inc({ door: "pages", status: `${Math.floor(statusCode / 100)}xx` as "2xx" });
          response.writeHead(statusCode, Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name))) as Record<string, string>);
          return response;
        }).catch((error: unknown) => {
        if (gone.signal.aborted) {
          if (!response.headersSent) metrics.httpRequests.inc({ door: "pages", status: "499" });
          return;
        }
        logger.warn({ err: error, path: request.url?.split("?", 1)[0] }, "the page process did not answer");
        if (response.headersSent) response.destroy();
        else refuse(response, 503, "The portal is not answering. Try again in a moment.");
      });
    },
    upgrade(request, socket, head) {
      if (options.upgrades) join(port, request, socket, head);
      // `next start` would leave it hanging for ever.
      else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    },
    stop: () => pool.destroy().catch(() => undefined),
  };
}

/** The development server speaks to its pages over a WebSocket. */
function join(port: number, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const inner = connect(port, "127.0.0.1", () => {
    inner.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines(request.rawHeaders)}\r\n\r\n`);
    if (head.length) inner.write(head);
    inner.pipe(socket).pipe(inner);
  });
  inner.on("error", () => socket.destroy());
  socket.on("error", () => inner.destroy());
}

function lines(raw: string[]): string {
  const named: string[] = [];
  for (let i = 0; i < raw.length; i += 2) named.push(`${raw[i]}: ${raw[i + 1]}`);
  return named.join("\r\n");
}

