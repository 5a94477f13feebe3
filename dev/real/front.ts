import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { Agent } from "node:http";
import { type Call, CallLog, listenOnLoopback, parseBody, pathOf, readBody, sendJson } from "../lib/calls";

/** What a front knows of a request before it is passed on. */
/** `call` is its entry in `/__calls`, null when nothing is kept. */
export type Passing = { req: IncomingMessage; res: ServerResponse; path: string; raw: Buffer; body: unknown; call: Call | null };
export type FrontOptions = {
  /** Origin of the real part. */
  target: string;
  port?: number;
  /** What is kept for `/__calls`; null: nothing of this request. */
  record?(passing: Passing): unknown;
  /** `POST /__control`. @throws Error whose message tells what is wrong with the order. */
  control(order: unknown): Promise<void>;
  /** Answers in place of the real part, or waits. @returns true when it has answered. */
  before?(passing: Passing): Promise<boolean> | boolean;
  /** Takes the whole answer instead of passing it on as it comes. Undefined: this one passes. */
  whole?(passing: Passing): ((status: number, headers: IncomingMessage["headers"], body: Buffer) => Promise<void>) | undefined;
  /** Passes a piece of the answer on; the default writes it. */
  piece?(passing: Passing, chunk: Buffer, write: (chunk: Buffer) => void): Promise<void>;
};

/**
 * Stands before a real part with the doors that a stand-in has for tests: `/__calls` tells what passed, `/__control` makes
 * things go wrong. Everything else passes unchanged, `Host` included: Keycloak makes its issuer of it.
 */
export async function startFront(options: FrontOptions): Promise<{ origin: string; close(): Promise<void> }> {
  const calls = new CallLog();
  const agent = new Agent({ keepAlive: true });
  const target = new URL(options.target);

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (calls.handle(req, res)) return;
    const raw = await readBody(req, 60_000_000);
    const path = pathOf(req);
    const passing: Passing = { req, res, path, raw, body: parseBody(raw, req.headers["content-type"]), call: null };
    if (path === "/__control" && req.method === "POST") {
      try {
        await options.control(JSON.parse(raw.toString("utf8")));
        return sendJson(res, 200, { ok: true });
      } catch (error) {
        return sendJson(res, 400, { error: error instanceof Error ? error.message : "failed" });
      }
    }
    const kept = options.record ? options.record(passing) : passing.body;
    if (kept !== null || !options.record) passing.call = calls.record(req, res, kept);
    if (await options.before?.(passing)) return;
    await pass(passing);
  };

  const pass = (passing: Passing) => new Promise<void>((done) => {
    const { req, res, raw } = passing;
    const headers = { ...req.headers };
    if (raw.length || headers["transfer-encoding"]) {
      delete headers["transfer-encoding"];
      headers["content-length"] = String(raw.length);
    }
    const takeWhole = options.whole?.(passing);
    const out = httpRequest({ agent, host: target.hostname, port: target.port, method: req.method, path: req.url, headers, setHost: false }, (answer) => {
      void (async () => {
        if (takeWhole) return takeWhole(answer.statusCode ?? 502, answer.headers, await readBody(answer, 60_000_000));
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        res.flushHeaders();
        for await (const chunk of answer as AsyncIterable<Buffer>) {
          if (options.piece) await options.piece(passing, chunk, (piece) => void res.write(piece));
          else res.write(chunk);
        }
        res.end();
      })().catch(() => res.destroy()).finally(done);
    });
    out.once("error", () => {
      res.destroy();
      done();
    });
    res.once("close", () => {
      if (!res.writableFinished) out.destroy();
    });
    out.end(raw);
  });

  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });
  const port = await listenOnLoopback(server, options.port ?? 0);
  return {
    origin: `http://localhost:${port}`,
    close: () => new Promise((done) => {
      agent.destroy();
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}
