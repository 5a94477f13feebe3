import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from "node:net";

/** One request a stand-in received, as `GET /__calls` shows it. */
export type Call = {
  method: string;
  /** Path with query, as it arrived. */
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
  /** ISO 8601, UTC. */
  at: string;
  /** Only there, and then true, when the client went away before the answer was complete. */
  aborted?: true;
  /** Of the identity provider's token endpoint. */
  grant_type?: string;
  /** Of the identity provider's token endpoint: the status with which it answered itself, also when a test let nobody hear it. */
  carriedOut?: number;
};

/** A request the stand-in refuses before looking at its meaning. `status` is what to answer. */
export class BadRequest extends Error {
  constructor(readonly status: 400 | 413, message: string) {
    super(message);
  }
}

/** Beyond this many calls the oldest are dropped, so that a long load test does not eat the memory. */
const callsMax = 20_000;

/** Remembers what a stand-in received, for tests to read. */
export class CallLog {
  private calls: Call[] = [];

  /** Adds a call; watches `res` to learn whether the client waited for the end of the answer. */
  record(req: IncomingMessage, res: ServerResponse, body: unknown): Call {
    const call: Call = {
      method: req.method ?? "GET",
      path: req.url ?? "/",
      headers: { ...req.headers },
      body,
      at: new Date().toISOString(),
    };
    res.once("close", () => {
      if (!res.writableFinished) call.aborted = true;
    });
    this.calls.push(call);
    if (this.calls.length > callsMax) this.calls.shift();
    return call;
  }

  list(): readonly Call[] {
    return this.calls;
  }

  clear(): void {
    this.calls = [];
  }

  /** Answers `GET /__calls` and `DELETE /__calls`. Returns false, without touching `res`, for anything else. */
  handle(req: IncomingMessage, res: ServerResponse): boolean {
    if (pathOf(req) !== "/__calls") return false;
    if (req.method === "GET") sendJson(res, 200, this.calls);
    else if (req.method === "DELETE") {
      this.clear();
      res.writeHead(204).end();
    } else sendJson(res, 405, { error: "Use GET or DELETE" });
    return true;
  }
}

/** The path of a request without its query. */
export function pathOf(req: IncomingMessage): string {
  return (req.url ?? "/").split("?", 1)[0] ?? "/";
}

/**
 * Reads the whole body.
 *
 * @throws BadRequest 413 when it is longer than `bytesMax`.
 */
export async function readBody(req: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new BadRequest(413, `Body is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * The body by its media type: JSON parsed, a urlencoded form as an object of strings (a field that comes
 * several times as a list), anything else, broken JSON included, as text. An empty body is `null`.
 */
export function parseBody(raw: Buffer, contentType: string | undefined): unknown {
  if (raw.length === 0) return null;
  const text = raw.toString("utf8");
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || type.endsWith("+json")) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  if (type === "application/x-www-form-urlencoded") {
    const fields = new URLSearchParams(text);
    return Object.fromEntries(
      [...new Set(fields.keys())].map((name) => {
        const values = fields.getAll(name);
        return [name, values.length === 1 ? values[0] : values];
      }),
    );
  }
  return text;
}

/**
 * Reads a JSON body whatever its media type says; an empty one is `undefined`.
 *
 * @throws BadRequest 413 when it is longer than `bytesMax`, 400 when it is not JSON.
 */
export async function readJson(req: IncomingMessage, bytesMax = 1_000_000): Promise<unknown> {
  const raw = await readBody(req, bytesMax);
  if (raw.length === 0) return undefined;
  try {
    return JSON.parse(raw.toString("utf8")) as unknown;
  } catch {
    throw new BadRequest(400, "Body is not JSON");
  }
}

/** Answers with JSON, unless the client or an earlier answer has already ended the exchange. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  if (res.headersSent || res.destroyed) return;
  const text = JSON.stringify(body);
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  res.end(text);
}

const portAttemptsMax = 10;

/**
 * Listens on 127.0.0.1 and, where the machine has it, on ::1 with the same port: `localhost` means either,
 * depending on who resolves it (Chromium tries both, Node takes the first answer). Never on another interface.
 * `server.close()` closes both.
 *
 * @param port 0 takes a free one.
 * @returns the port.
 */
export async function listenOnLoopback(server: Server, port = 0): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const taken = await listen(server, port, "127.0.0.1");
    const twin = createTcpServer((socket) => server.emit("connection", socket));
    try {
      await listen(twin, taken, "::1");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return taken;
      await new Promise((done) => server.close(done));
      if (port !== 0 || attempt === portAttemptsMax) throw error;
      continue;
    }
    const close = server.close.bind(server);
    server.close = (done) => {
      twin.close();
      return close(done);
    };
    return taken;
  }
}

function listen(server: TcpServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
