import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { takeTurns } from "@/dev/testing/usage";
import type { Person } from "@/lib/access";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { metrics } from "@/lib/platform/metrics";
import { redis } from "@/lib/platform/redis";
import { flushCalls } from "@/lib/usage";
import { usageStream } from "@/lib/usage/stream";
import { type ApiContext, newApi } from "./api";
import { observed } from "./observed";
import { readBody } from "./read-body";
import { clientGone } from "./send-stream";

takeTurns();

/** What handlers do once their caller has left. */
const endings: Record<string, (c: ApiContext) => Response | Promise<Response>> = {
  "breaks off with them": (c) => { throw clientGone(c).reason; },
  "fails in a way of its own": () => { throw new SluiceError("upstream_error", "The engine broke off its answer."); },
  "answers nobody": (c) => c.json({}),
  "reads the body, which had arrived whole": async (c) => c.json({ read: await readBody(c, 1000) }),
  "refuses them": () => { throw notFound(); },
};

let person: Person;
let reached: () => void;
const app = newApi();
app.post("/t/:ending", observed(async (c) => {
  const { call } = c.get("caller");
  if (call) call.by = { userId: person.userId, tenantId: person.tenantId };
  const outgoing = c.env?.outgoing;
  if (!outgoing) throw new Error("not served by Node");
  const left = once(outgoing, "close");
  reached();
  await left;
  return (endings[decodeURIComponent(c.req.param("ending") ?? "")] ?? (() => c.json({})))(c);
}, "/t"));
const server = createServer((request, response) => void getRequestListener(app.fetch)(request, response));

beforeAll(async () => {
  person = await aPerson();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => server.close());

/** Sends a whole call and leaves as soon as its handler is at work. @returns what the request log has of it. */
async function leaveDuring(ending: string): Promise<[status: number, code: string]> {
  const requestId = randomUUID();
  const atWork = new Promise<void>((done) => { reached = done; });
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`POST /t/${encodeURIComponent(ending)} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${requestId}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`);
  await atWork;
  socket.resetAndDestroy();
  let row: unknown[] | undefined;
  await expect.poll(async () => {
    await flushCalls();
    const entries = await redis().xrange(usageStream, "-", "+");
    row = entries.flatMap(([, [name, json]]) => (name === "l" && json ? (JSON.parse(json) as unknown[][]) : [])).find(([id]) => id === requestId);
    return row;
  }, { timeout: 5000 }).toBeDefined();
  return [row?.[4] as number, row?.[5] as string];
}

const count = (status: "4xx" | "5xx" | "499") => metrics.httpRequests.cell({ door: "api", status }).count;

describe("a caller who leaves before the answer", () => {
  it.each(["breaks off with them", "fails in a way of its own", "answers nobody", "reads the body, which had arrived whole"])("is 499, and nobody's error, when the handler %s", async (ending) => {
    const before = [count("4xx"), count("5xx"), count("499")];
    expect(await leaveDuring(ending)).toEqual([499, "client_closed"]);
    expect([count("4xx"), count("5xx"), count("499")]).toEqual([before[0], before[1], (before[2] ?? 0) + 1]);
  });

  it("keeps a refusal that they did not wait for", async () => {
    expect(await leaveDuring("refuses them")).toEqual([404, "not_found"]);
  });
});
