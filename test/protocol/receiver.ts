import { createServer, type ServerResponse } from "node:http";
import { parseBody, listenOnLoopback, pathOf, readBody } from "../../dev/lib/calls";
import { claimsOf } from "./party";

type Heard = { path: string; method: string; contentType: string | undefined; token: string; at: number };

/** Stands where the portal would be told of sign-outs. */
export async function startReceiver() {
  let heard: Heard[] = [];
  let answer: (res: ServerResponse) => void = (res) => res.writeHead(200).end();
  let meanwhile = async (): Promise<void> => undefined;
  const server = createServer((req, res) => {
    void readBody(req, 100_000).then(async (raw) => {
      const body = parseBody(raw, req.headers["content-type"]) as Record<string, string> | null;
      heard.push({ path: pathOf(req), method: req.method ?? "", contentType: req.headers["content-type"], token: body?.logout_token ?? "", at: Date.now() });
      await meanwhile();
      answer(res);
    });
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://localhost:${port}`,
    /** What came since the last time somebody asked. */
    take(): Heard[] {
      const taken = heard;
      heard = [];
      return taken;
    },
    /** Who was told since the last time somebody asked, in no order. */
    takeAudiences(): unknown[] {
      return this.take().map(({ token }) => claimsOf(token).aud).sort();
    },
    /** How to answer from now on; null hangs. */
    answerWith(status: number | null): void {
      answer = (res) => void (status === null ? undefined : res.writeHead(status).end());
    },
    /** What to do before answering from now on. */
    beforeAnswering(act: () => Promise<void>): void {
      meanwhile = act;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
