import { FlowiseClient } from "flowise-sdk";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { tokenPartsIn } from "../../dev/leaks";
import { call, callsTo, control, demo, doors, eachDoor, forgetCalls, keyOf, resetParts, revoke, sha256, tokenOf, tokensOf, withStandIn } from "./client";
import { startReplica } from "./replica";

let uma: { id: string; key: string };
let ada: { id: string; key: string };
const credits = async (key: string) => (await call(doors.own, "GET", "/api/v1/chat/credits", { key })).json as { credits: number; held: number };
const assign = (username: string, flow: string) => call(doors.own, "POST", `/api/admin/chatflows/${flow}/users/email/${username}@${username === "gus" ? "globex" : "acme"}.test`, { key: ada.key });

beforeAll(async () => {
  await resetParts();
  uma = await keyOf("uma", { permissions: ["write"] });
  ada = await keyOf("ada", { permissions: ["*"] });
  for (const flow of [flowIds.invoices, flowIds.broken, flowIds.failingEarly, flowIds.silent, flowIds.halfSilent, flowIds.bound, flowIds.overrides]) expect((await assign("uma", flow)).status).toBe(200);
});
afterEach(resetParts);
afterAll(async () => {
  await revoke("uma", uma.id);
  await revoke("ada", ada.id);
});

type Frame = { event: string; data: unknown };
function framesOf(text: string): Frame[] {
  return text.split("\n\n").filter((f) => f.includes("data:")).map((f) => JSON.parse(f.slice(f.indexOf("data:") + 5)) as Frame);
}
const textOf = (frames: Frame[]) => frames.filter((f) => f.event === "token").map((f) => f.data).join("");

describe.each(eachDoor)("chatflows at the $name door", ({ url }) => {
  it("lists what is assigned, as a bare array, and nothing of how it is built", async () => {
    const answer = await call(url, "GET", "/api/v1/chatflows", { key: uma.key });
    const ids = answer.json.map((flow: { id: string }) => flow.id);
    expect(ids).toEqual(expect.arrayContaining([flowIds.support, flowIds.releaseNotes]));
    expect(ids).not.toContain(flowIds.draft);
    expect(answer.text).not.toMatch(/CANARY|flowData|credential/);
    expect((await call(url, "GET", `/api/v1/chatflows/${flowIds.draft}`, { key: uma.key })).status).toBe(404);
  });

  it("lists them page by page along the Link header when a limit asks for it", async () => {
    for (const path of ["/api/v1/chatflows", "/api/v1/chatflows/my-chatflows"]) {
      const all = await call(url, "GET", path, { key: uma.key });
      expect(all.headers.get("link")).toBeNull();
      const paged: unknown[] = [];
      let next = `${path}?limit=1`;
      while (next && paged.length <= all.json.length) {
        const page = await call(url, "GET", next, { key: uma.key });
        paged.push(...page.json);
        const link = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
        next = link ? link.slice(new URL(link).origin.length) : "";
      }
      expect(paged).toEqual(all.json);
    }
  });

  it("predict answers in the older client's shape, holds and settles one credit, and reaches Flowise as the person", async () => {
    const before = await credits(uma.key);
    await forgetCalls("flowise");
    const answer = await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: { chatflow_id: flowIds.support, question: "hello", session_id: "mine", extra: "ignored" } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ response: expect.stringContaining("You said: hello"), credits_used: 1, metadata: { chatflow_id: flowIds.support, cost: 1, remaining_credits: before.credits - 1, user: "uma", streaming: false, sessionId: "mine" } });
    expect(answer.headers.get("x-credits-held")).toBe("1");
    expect(answer.headers.get("x-credits-remaining")).toBe(String(before.credits - 1));
    expect(await credits(uma.key)).toMatchObject({ credits: before.credits - 1, held: 0 });

    const [made] = (await callsTo("flowise")).filter((c) => c.path.includes("/prediction/"));
    const me = (await call(url, "GET", "/api/v1/auth/me", { key: uma.key })).json.data;
    expect(tokenOf(made!)).toMatchObject({ sub: me.memberId, aud: "flowise" });
    const identity = decodeJwt(made!.headers["x-sluice-identity"]!);
    expect(identity).toMatchObject({ iss: demo.url, aud: "flowise", sub: me.memberId, tenant: "acme", role: "user", key_id: uma.id, body_sha256: sha256(JSON.stringify(made!.body)) });
    expect(identity.exp! - identity.iat!).toBeLessThanOrEqual(60);
    expect(JSON.stringify(made)).not.toContain(uma.key);
    expect(made!.body).not.toHaveProperty("extra");
    // What says who a person is to an engine says nothing to us.
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: made!.headers["x-sluice-identity"]! })).status).toBe(401);
  });

  it("streams Flowise's frames byte for byte, but for the ids and what shows how the flow is built", async () => {
    await forgetCalls("flowise");
    const answer = await call(url, "POST", `/api/v1/prediction/${flowIds.releaseNotes}`, { key: uma.key, body: { question: "a b", streaming: true, chatId: "chat-of-uma" } });
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(answer.headers.get("x-credits-held")).toBe("1");
    expect(answer.text).toMatch(/^message:\ndata:\{"event":"agentFlowEvent","data":"INPROGRESS"\}\n\n/);
    expect(answer.text.endsWith('message:\ndata:{"event":"end","data":"[DONE]"}\n\n')).toBe(true);
    const frames = framesOf(answer.text);
    expect(textOf(frames)).toBe("Draft for: a b");
    expect(frames.map((f) => f.event)).not.toContain("agentFlowExecutedData");
    expect(answer.text).not.toMatch(/CANARY|c0ffee00/);
    expect(frames.find((f) => f.event === "metadata")?.data).toMatchObject({ chatId: "chat-of-uma", sessionId: "chat-of-uma" });
    const [made] = (await callsTo("flowise")).filter((c) => c.path.includes("/prediction/"));
    expect(made!.body.chatId).toMatch(/^[0-9a-f-]{14}5[0-9a-f-]{21}$/);
    expect(made!.body.chatId).not.toBe("chat-of-uma");
  });

  it("the first byte comes as soon as Flowise sends it, also to a client that would take compression", async () => {
    await control("flowise", { chunkDelayMs: 150 });
    const response = await fetch(`${url}/api/v1/chat/predict/stream`, { method: "POST", headers: { "x-api-key": uma.key, "content-type": "application/json", "accept-encoding": "gzip, br" }, body: JSON.stringify({ chatflow_id: flowIds.support, question: "one two three four five" }) });
    expect(response.headers.get("content-encoding")).toBeNull();
    const reader = response.body!.getReader();
    const pieces: string[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(new TextDecoder().decode(next.value));
    expect(pieces[0]).not.toContain('"end"');
    expect(pieces.length).toBeGreaterThan(4);
  });

  it("an administrator of flows sees how they ran, nobody else does", async () => {
    expect((await assign("ada", flowIds.releaseNotes)).status).toBe(200);
    const own = await call(url, "POST", `/api/v1/prediction/${flowIds.releaseNotes}`, { key: ada.key, body: { question: "x" } });
    expect(own.json.agentFlowExecutedData).toBeTruthy();
    const other = await call(url, "POST", `/api/v1/prediction/${flowIds.releaseNotes}`, { key: uma.key, body: { question: "x", chatId: "back" } });
    expect(other.json).toMatchObject({ text: "Draft for: x", chatId: "back", sessionId: "back" });
    expect(other.text).not.toMatch(/agentFlowExecutedData|CANARY/);
  });

  it("conversations of two people who use the same id never meet", async () => {
    expect((await assign("gus", flowIds.support)).status).toBe(200);
    const gus = await keyOf("gus");
    const session = `shared-${Date.now()}`;
    const ask = async (key: string) => (await call(url, "POST", "/api/v1/chat/predict", { key, body: { chatflow_id: flowIds.support, question: "q", sessionId: session } })).json.response as string;
    expect(await ask(uma.key)).toBe("You said: q");
    expect(await ask(gus.key)).toBe("You said: q");
    expect(await ask(uma.key)).toBe("(turn 2) You said: q");
    await revoke("gus", gus.id);
  });

  it("a flow that cannot stream: one token here, its JSON on Flowise's path", async () => {
    const stream = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flowIds.invoices, question: "abc" } });
    expect(framesOf(stream.text).map((f) => f.event)).toEqual(["token", "metadata", "end"]);
    expect(textOf(framesOf(stream.text))).toBe("ABC");
    const json = await call(url, "POST", `/api/v1/prediction/${flowIds.invoices}`, { key: uma.key, body: { question: "abc", streaming: true } });
    expect(json.json).toMatchObject({ text: "ABC" });
    expect((await call(url, "GET", `/api/v1/chatflows-streaming/${flowIds.invoices}`)).json).toEqual({ isStreaming: false });
    expect((await call(url, "GET", `/api/v1/chatflows-streaming/${flowIds.support}`)).json).toEqual({ isStreaming: true });
    expect((await call(url, "GET", "/api/v1/chatflows-streaming/nothing")).json).toEqual({ isStreaming: false });
  });

  it("failures before anything was sent are a status and cost nothing; later ones pass as frames", async () => {
    const before = await credits(uma.key);
    const plain = await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: { chatflow_id: flowIds.broken, question: "x" } });
    expect([plain.status, plain.json.code, plain.json.message]).toEqual([502, "upstream_error", plain.json.detail]);
    const early = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flowIds.failingEarly, question: "x" } });
    expect([early.status, early.json.code]).toEqual([502, "upstream_error"]);
    const bound = await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: { chatflow_id: flowIds.bound, question: "x" } });
    expect([bound.status, bound.json.code]).toEqual([502, "upstream_unauthorised"]);
    const boundStream = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flowIds.bound, question: "x" } });
    expect([boundStream.status, boundStream.json.code]).toEqual([502, "upstream_unauthorised"]);
    expect(await credits(uma.key)).toMatchObject({ credits: before.credits, held: 0 });
    const late = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flowIds.broken, question: "one two three" } });
    expect(late.status).toBe(200);
    expect(framesOf(late.text).map((f) => f.event).slice(-2)).toEqual(["error", "end"]);
    await expect.poll(async () => credits(uma.key)).toMatchObject({ credits: before.credits - 1, held: 0 });
  });

  withStandIn("flowise", "it opens the stream of every flow that exists and sends heartbeats; no reply at all is what unknown flows get")("a flow that never answers is 504 after the first-byte deadline, and the credit comes back", async () => {
    const before = await credits(uma.key);
    const answer = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flowIds.silent, question: "x" } });
    expect([answer.status, answer.json.code]).toEqual([504, "upstream_timeout"]);
    expect(await credits(uma.key)).toMatchObject({ credits: before.credits, held: 0 });
  });

  it("a caller who leaves stops the engine's stream and pays for what was used", async () => {
    await control("flowise", { chunkDelayMs: 300 });
    await forgetCalls("flowise");
    const before = await credits(uma.key);
    const leaving = new AbortController();
    const response = await fetch(`${url}/api/v1/chat/predict/stream`, { method: "POST", signal: leaving.signal, headers: { "x-api-key": uma.key, "content-type": "application/json" }, body: JSON.stringify({ chatflow_id: flowIds.releaseNotes, question: "one two three four five six seven" }) });
    await response.body!.getReader().read();
    leaving.abort();
    await expect.poll(async () => (await callsTo("flowise")).some((c) => c.path.includes("/prediction/") && c.aborted), { timeout: 5000 }).toBe(true);
    await expect.poll(async () => (await callsTo("flowise")).some((c) => c.path.includes("/chatmessage/abort/")), { timeout: 5000 }).toBe(true);
    await expect.poll(async () => credits(uma.key), { timeout: 5000 }).toMatchObject({ credits: before.credits - 1, held: 0 });
  });

  it("a second stream of a conversation that is still being answered is a conflict, on whatever replica", async () => {
    await control("flowise", { chunkDelayMs: 200 });
    const body = { chatflow_id: flowIds.support, question: "one two three four", sessionId: `busy-${Date.now()}` };
    const first = await fetch(`${doors.own}/api/v1/chat/predict/stream`, { method: "POST", headers: { "x-api-key": uma.key, "content-type": "application/json" }, body: JSON.stringify(body) });
    const second = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body });
    expect([second.status, second.json.code, second.headers.get("retry-after")]).toEqual([409, "conflict", "1"]);
    expect(textOf(framesOf(await first.text()))).toContain("one two three four");
    await expect.poll(async () => (await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body })).status, { timeout: 5000 }).toBe(200);
  });

  it("overrides and uploads by address do not reach the flow unless it allows them", async () => {
    await forgetCalls("flowise");
    await call(url, "POST", `/api/v1/prediction/${flowIds.overrides}`, { key: uma.key, body: { question: "x", overrideConfig: { vars: { a: 1 }, sessionId: "s" }, uploads: [{ type: "url", data: "http://169.254.169.254/" }, { type: "file", name: "a.txt", data: "data:text/plain;base64,YQ==" }] } });
    const [made] = (await callsTo("flowise")).filter((c) => c.path.includes("/prediction/"));
    const sent = made!.body as unknown as { overrideConfig: object; uploads: { type: string }[] };
    expect(Object.keys(sent.overrideConfig)).toEqual(["sessionId"]);
    expect(sent.uploads.map((u) => u.type)).toEqual(["file"]);
  });

  it("what is not assigned is 404 and costs nothing", async () => {
    const before = await credits(uma.key);
    for (const id of [flowIds.draft, "11111111-1111-4111-8111-111111111111", "x"]) {
      expect((await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: { chatflow_id: id, question: "x" } })).status).toBe(404);
      expect((await call(url, "POST", `/api/v1/prediction/${encodeURIComponent(id)}`, { key: uma.key, body: { question: "x", streaming: true } })).status).toBe(404);
    }
    expect(await credits(uma.key)).toEqual(before);
  });

  it("Flowise's own SDK works unmodified, plain and streaming", async () => {
    const client = new FlowiseClient({ baseUrl: url, apiKey: uma.key });
    const plain = await client.createPrediction({ chatflowId: flowIds.support, question: "sdk plain", overrideConfig: { sessionId: `sdk-${Date.now()}` } });
    expect(plain).toMatchObject({ text: "You said: sdk plain" });
    const events: Frame[] = [];
    for await (const event of await client.createPrediction({ chatflowId: flowIds.releaseNotes, question: "sdk stream", streaming: true })) events.push(event as Frame);
    expect(textOf(events)).toBe("Draft for: sdk stream");
    expect(events.at(-1)?.event).toBe("end");
  });

  it("without credits nothing is asked of the engine", async () => {
    const person = (await tokensOf("dis")).user.id;
    expect((await assign("dis", flowIds.support)).status).toBe(200);
    const dis = await keyOf("dis", { permissions: ["write"] });
    const { credits: left } = await credits(dis.key);
    const take = await call(url, "POST", `/api/admin/users/${person}/credits`, { key: ada.key, body: { amount: -left, reason: "test" } });
    expect([take.status, take.json.data?.available]).toEqual([200, 0]);
    await forgetCalls("flowise");
    const answer = await call(url, "POST", "/api/v1/chat/predict", { key: dis.key, body: { chatflow_id: flowIds.support, question: "x" } });
    expect([answer.status, answer.json.code]).toEqual([402, "out_of_credits"]);
    expect((await callsTo("flowise")).filter((c) => c.path.includes("/prediction/"))).toHaveLength(0);
    expect((await call(url, "POST", `/api/admin/users/${person}/credits`, { key: ada.key, body: { amount: left, reason: "back" } })).json.data.available).toBe(left);
    await revoke("dis", dis.id);
  });
});

describe("where Flowise is shown the operator's key", () => {
  it("a bound chatflow is called with the key that it is bound to, any other with the operator's, both as the person", async () => {
    const replica = await startReplica({ FLOWISE_AUTH: "service-key" });
    try {
      expect((await call(replica.url, "POST", "/api/admin/chatflows/sync", { key: ada.key })).json).toMatchObject({ errors: 0 });
      const bearers: (string | undefined)[] = [];
      for (const flow of [flowIds.bound, flowIds.support]) {
        await forgetCalls("flowise");
        const answer = await call(replica.url, "POST", "/api/v1/chat/predict", { key: uma.key, body: { chatflow_id: flow, question: "x", sessionId: `bound-${Date.now()}` } });
        expect([answer.status, answer.json.response]).toEqual([200, "You said: x"]);
        const streamed = await call(replica.url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: { chatflow_id: flow, question: "y", sessionId: `bound-stream-${Date.now()}` } });
        expect(textOf(framesOf(streamed.text))).toBe("You said: y");
        const made = (await callsTo("flowise")).filter((c) => c.path.includes("/prediction/"));
        expect(decodeJwt(made[0]!.headers["x-sluice-identity"]!)).toMatchObject({ aud: "flowise", tenant: "acme", key_id: uma.id });
        bearers.push(...made.map((c) => c.headers.authorization));
      }
      expect(new Set(bearers).size).toBe(2);
      expect(bearers[0]).toBe(bearers[1]);
      expect(tokenPartsIn(bearers.join())).toEqual([]);
    } finally {
      await replica.stop();
    }
  });
});
