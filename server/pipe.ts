import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { Pool } from "undici";
import { addressLimitName } from "@/lib/keys";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { Collector } from "./collect";
import { callerAddress, forwardedHeaders, hasBody, hopByHop } from "./forwarded";
import { retryAfter, statusOfFailure } from "./page-status";
import type { Pages } from "./pages";
import { refuse, requestIdHeader } from "./refuse";
import { spool } from "./spool";

/** Renders under way at once, of all and of one address: each holds a connection to the page process, and nobody may hold them all. Half of them is no hindrance to an office behind one address. */
const connectionsMax = 256;
const perAddressMax = 128;

/**
 * Passes requests on to the page process on its loopback port. A connection to it is held only while it works: the body is there before
 * (`collect.ts`), and the answer is taken as fast as it comes (`spool.ts`). Who leaves is left.
 */
export function pipeTo(port: number, options: { innerSecret: string; upgrades: boolean }): Pages {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: connectionsMax, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const underWay = new Map<string, number>();
  const collector = new Collector();

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = addressLimitName(callerAddress(request)) ?? "";
    const body = hasBody(request) ? await collector.collect(request, from, env().PAGE_BODY_SECONDS * 1000) : null;
    if (response.destroyed) return;
    const before = underWay.get(from) ?? 0;
    if (before >= perAddressMax) throw new SluiceError("rate_limited", "Too many pages are being asked for from your address. Try again in a moment.", { retryAfterSeconds: 2 });
    underWay.set(from, before + 1);
    const gone = new AbortController();
    const leave = () => gone.abort();
    response.once("close", leave);
    try {
      const answer = await pool.request({ method: request.method as "GET", path: request.url ?? "/", headers: forwardedHeaders(request, options.innerSecret, String(response.getHeader(requestIdHeader))), body, signal: gone.signal });
      metrics.httpRequests.inc({ door: "pages", status: `${Math.floor(answer.statusCode / 100)}xx` as "2xx" });
      const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name))) as Record<string, string>;
      if (answer.statusCode === 500) {
        // Small, since it is our own error page, and its status stands in it.
        const whole = Buffer.from(await answer.body.arrayBuffer());
        const status = statusOfFailure(whole, headers["content-encoding"]);
        response.writeHead(status, { ...headers, ...(status === 503 && retryAfter) }).end(whole);
        return;
      }
      response.writeHead(answer.statusCode, headers);
      await spool(answer.body, response);
    } finally {
      response.off("close", leave);
      const left = (underWay.get(from) ?? 1) - 1;
      if (left === 0) underWay.delete(from);
      else underWay.set(from, left);
    }
  }

  return {
    handle(request, response) {
      pass(request, response).catch((error: unknown) => {
        if (response.destroyed) {
          if (!response.headersSent) metrics.httpRequests.inc({ door: "pages", status: "499" });
          return;
        }
        if (!isSluiceError(error)) logger.warn({ err: error, path: request.url?.split("?", 1)[0] }, "the page process did not answer");
        if (response.headersSent) response.destroy();
        else refuse(request, response, isSluiceError(error) ? error : new SluiceError("internal_error", "The portal is not answering. Try again in a moment.", { retryAfterSeconds: 2, status: 503 }));
      });
    },
    ...(options.upgrades && { upgrade: (request, socket, head) => join(port, request, socket, head) }),
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

