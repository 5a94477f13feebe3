import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, connect } from "node:net";
import { createRequire } from "node:module";
import type { Duplex } from "node:stream";
import { Pool } from "undici";
import { clientAddress, clientAddressHeader, innerSecretHeader } from "@/lib/platform/client-address";
import { env } from "@/lib/platform/env";
import { logger } from "@/lib/platform/logger";

export type Pages = {
  pipe(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  stop(): Promise<void>;
};

const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "trailer", "expect"]);
/** Headers by which a proxy speaks of its client: ours to set, never a caller's. */
const ours = /^(host|forwarded|x-forwarded-.*|x-real-ip|x-client-ip|x-sluice-.*|x-middleware-.*|x-user-.*)$/;

/** Preloaded into the page process: when the channel to us breaks, because we were killed, it ends itself. */
const leash = `data:text/javascript,${encodeURIComponent('process.on("disconnect", () => process.exit(0))')}`;

/** Starts Next.js on a private loopback port, and gives what pipes requests to it. */
export async function startPages(options: { innerSecret: string; onEnd(code: number | null): void }): Promise<Pages> {
  const port = await freeLoopbackPort();
  const development = env().NODE_ENV === "development";
  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  const child = spawn(process.execPath, ["--import", leash, next, development ? "dev" : "start", "-p", String(port), "-H", "127.0.0.1"], {
    env: { ...process.env, NODE_ENV: development ? "development" : "production", NODE_OPTIONS: "", SLUICE_INNER_SECRET: options.innerSecret, NEXT_TELEMETRY_DISABLED: "1" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  // However this process ends, the page process must not outlive it and keep its memory and port.
  process.on("exit", () => child.kill("SIGKILL"));
  let stopping = false;
  child.once("exit", (code) => {
    if (!stopping) options.onEnd(code);
  });
  await untilAnswering(port, () => child.exitCode !== null);

  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 256, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  const origin = new URL(env().AUTH_URL);

  const forwarded = (request: IncomingMessage): string[] => {
    const named = new Set((request.headers.connection ?? "").toLowerCase().split(",").map((s) => s.trim()));
    const kept: string[] = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      const name = (request.rawHeaders[i] ?? "").toLowerCase();
      if (!hopByHop.has(name) && !ours.test(name) && !named.has(name)) kept.push(request.rawHeaders[i] ?? "", request.rawHeaders[i + 1] ?? "");
    }
    const address = clientAddress(request.socket.remoteAddress, request.headers["x-forwarded-for"]?.toString()) ?? "";
    // One public address exists, whatever Host somebody sends: actions compare it with the Origin.
    return [...kept, "host", origin.host, "x-forwarded-host", origin.host, "x-forwarded-proto", origin.protocol.slice(0, -1), "x-forwarded-for", address, clientAddressHeader, address, innerSecretHeader, options.innerSecret];
  };

  return {
    pipe(request, response) {
      const gone = new AbortController();
      response.once("close", () => {
        if (!response.writableFinished) gone.abort();
      });
      const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
      pool.stream({ method: request.method as "GET", path: request.url ?? "/", headers: forwarded(request), body: hasBody ? request : null, signal: gone.signal, opaque: null },
        ({ statusCode, headers }) => {
          response.writeHead(statusCode, Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name))) as Record<string, string>);
          return response;
        }).catch((error: unknown) => {
        if (gone.signal.aborted) return;
        logger.warn({ err: error, path: request.url?.split("?", 1)[0] }, "the page process did not answer");
        if (response.headersSent) response.destroy();
        else response.writeHead(503, { "Content-Type": "text/plain; charset=utf-8", "Retry-After": "2" }).end("The portal is not answering. Try again in a moment.\n");
      });
    },
    upgrade(request, socket, head) {
      // Node leaves the socket without a listener here: a client that resets it would end the process.
      socket.on("error", () => socket.destroy());
      if (!development) {
        socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      const inner = connect(port, "127.0.0.1", () => {
        inner.write(`${request.method} ${request.url} HTTP/1.1\r\n${pairs(request.rawHeaders)}\r\n\r\n`);
        if (head.length) inner.write(head);
        inner.pipe(socket).pipe(inner);
      });
      inner.on("error", () => socket.destroy());
      socket.on("error", () => inner.destroy());
    },
    async stop() {
      stopping = true;
      await pool.destroy().catch(() => undefined);
      if (child.exitCode !== null) return;
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function pairs(raw: string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) lines.push(`${raw[i]}: ${raw[i + 1]}`);
  return lines.join("\r\n");
}

function freeLoopbackPort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().once("error", fail).listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

async function untilAnswering(port: number, ended: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (ended()) throw new Error("Next.js ended while starting. Was it built? Run `npm run build`.");
    const open = await new Promise<boolean>((done) => {
      const probe = connect(port, "127.0.0.1", () => { probe.destroy(); done(true); }).once("error", () => done(false));
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("Next.js did not answer within 60 s.");
}
