import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, keyOf, revoke } from "./client";
import { type Replica, startReplica } from "./replica";

const mib = 1_048_576;
let replica: Replica;
let key: { id: string; key: string };
const open: ClientRequest[] = [];

beforeAll(async () => {
  replica = await startReplica({ BODY_MEMORY: String(20 * mib) });
  key = await keyOf("uma", { permissions: ["write"] });
});
afterAll(async () => {
  for (const one of open) one.destroy();
  await replica.stop();
  await revoke("uma", key.id);
});

/** A prediction that has no input, so that it is refused once its whole body was read. */
function begin(bytes: number, headers: Record<string, string | number> = { "content-length": bytes }) {
  const sent = request(`${replica.url}/api/v1/chat/predict`, { method: "POST", headers: { "x-api-key": key.key, "content-type": "application/json", ...headers } });
  open.push(sent);
  const answer = new Promise<{ status: number; code: string; retryAfter: number }>((done, fail) => {
    sent.on("error", fail).on("response", (response: IncomingMessage) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => { text += part; }).on("end", () => done({ status: response.statusCode ?? 0, code: (JSON.parse(text) as { code: string }).code, retryAfter: Number(response.headers["retry-after"]) }));
    });
  });
  answer.catch(() => undefined);
  const start = '{"chatflow_id":"';
  const rest = () => `${"x".repeat(bytes - start.length - 2)}"}`;
  sent.write(start);
  return { sent, answer, finish: () => sent.end(rest()) };
}
const read = { status: 422, code: "validation_failed" };
/** How many the process has to do with: its own count, which a client's writing does not tell. */
const held = async () => {
  const probe = begin(2 * mib);
  probe.finish();
  return (await probe.answer).status;
};

it("large bodies that do not fit into BODY_MEMORY together wait, and are 429 when there is no room in time", async () => {
  const [first, second] = [begin(15 * mib), begin(15 * mib)];
  // The second waits for the first, or the first for the second: whichever came first holds the room.
  const early = await Promise.race([first.answer.then(() => "first"), second.answer.then(() => "second")]);
  const [refused, waiting] = early === "first" ? [first, second] : [second, first];
  expect(await refused.answer).toMatchObject({ status: 429, code: "rate_limited", retryAfter: 5 });
  expect((await call(replica.url, "GET", "/api/v1/auth/me", { key: key.key })).status).toBe(200);
  waiting.finish();
  expect(await waiting.answer).toMatchObject(read);
});

it("the room of a caller who leaves, sends what cannot be read or too much is given back", async () => {
  for (let round = 0; round < 3; round++) {
    const leaver = begin(15 * mib);
    const next = begin(15 * mib);
    const gone = new Promise((done) => leaver.sent.once("close", done));
    leaver.sent.destroy();
    await gone;
    next.finish();
    expect(await next.answer).toMatchObject(read);
    const broken = begin(15 * mib);
    broken.sent.end(Buffer.alloc(15 * mib - 16, 0xff));
    expect((await broken.answer).status).toBe(400);
    const chunked = begin(60 * mib, { "transfer-encoding": "chunked" });
    chunked.finish();
    expect((await chunked.answer.catch(() => ({ status: 413 }))).status).toBe(413);
  }
  expect(await held()).toBe(422);
});
