import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenOnLoopback, readBody } from "../lib/calls";

export type Received = { method: string; path: string; headers: IncomingMessage["headers"]; body: string; /** Resolves when the client is gone or the answer is complete. */ over: Promise<"left" | "done"> };

/** An engine that does as a test says, for what no stand-in does: silence, half answers, broken connections. */
export async function anEngine(answer: (req: IncomingMessage, res: ServerResponse, count: number) => void | Promise<void>) {
  const received: Received[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const body = (await readBody(req, 10_000_000)).toString("utf8");
      const over = new Promise<"left" | "done">((done) => res.once("close", () => done(res.writableFinished ? "done" : "left")));
      received.push({ method: req.method ?? "", path: req.url ?? "", headers: req.headers, body, over });
      await answer(req, res, received.length);
    })();
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://localhost:${port}`,
    received,
    close: () => new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}
