import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FlowiseClient } from "flowise-sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoFlows, flowIds } from "./flows";
import { type Flowise, startFlowise } from "./server";

let flowise: Flowise;
beforeAll(async () => {
  flowise = await startFlowise({ serviceKey: "workspace-key", boundKey: "bound-key", heartbeatMs: 40 });
});
afterAll(() => flowise.close());

const recorded = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8").replaceAll("\r\n", "\n");
const predict = (id: string, body: object, headers: Record<string, string> = {}) => fetch(`${flowise.url}/api/v1/prediction/${id}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
const eventsOf = (text: string) => text.split("\n\n").filter((f) => f.startsWith("message:\n")).map((f) => (JSON.parse(f.slice("message:\ndata:".length)) as { event: string }).event);
const kinds = (events: string[]) => events.filter((event, i) => event !== events[i - 1]);

describe("Flowise's stand-in", () => {
  it.each([["sse-chatflow.txt", flowIds.support], ["sse-agentflow-llm.txt", flowIds.releaseNotes]])("streams the kinds of events of %s in their order", async (file, id) => {
    const fixture = recorded(file);
    const expected = kinds(eventsOf(fixture.slice(fixture.indexOf("\n\nmessage:") + 2)));
    const answer = await predict(id, { question: "Hello gateway", streaming: true });
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(kinds(eventsOf((await answer.text()).replaceAll(":heartbeat\n\n", "")))).toEqual(expected);
  });

  it("answers a bound flow without its key as recorded, plain and streamed", async () => {
    const plain = await predict(flowIds.bound, { question: "x" }, { authorization: "Bearer workspace-key" });
    expect(plain.status).toBe(500);
    expect(recorded("http-error-unauthorized.txt")).toContain(await plain.text());
    const stream = await predict(flowIds.bound, { question: "x", streaming: true });
    expect(stream.status).toBe(200);
    expect(recorded("sse-error-unauthorized.txt")).toContain((await stream.text()).trim());
    expect((await predict(flowIds.bound, { question: "x" }, { authorization: "Bearer bound-key" })).status).toBe(200);
  });

  it("leaves a stream that fails before its headers without any reply", async () => {
    const leaving = AbortSignal.timeout(300);
    await expect(fetch(`${flowise.url}/api/v1/prediction/11111111-1111-4111-8111-111111111111`, { method: "POST", signal: leaving, headers: { "content-type": "application/json" }, body: '{"question":"x","streaming":true}' })).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("lists for a key only, in two shapes, and tells when nothing changed", async () => {
    const list = (query = "", headers: Record<string, string> = {}) => fetch(`${flowise.url}/api/v1/chatflows${query}`, { headers: { authorization: "Bearer workspace-key", ...headers } });
    expect((await list("", { authorization: "bearer workspace-key" })).status).toBe(401);
    expect((await list("", { "x-request-from": "internal" })).status).toBe(401);
    const all = await list();
    expect(await all.json()).toHaveLength(demoFlows().length);
    expect(await (await list("?page=1&limit=2")).json()).toMatchObject({ data: [{}, {}], total: demoFlows().length });
    expect((await list("", { "if-none-match": all.headers.get("etag") ?? "" })).status).toBe(304);
    expect(await (await fetch(`${flowise.url}/api/v1/nothing`, { headers: { authorization: "Bearer workspace-key" } })).text()).toContain("<!doctype html>");
  });

  it("serves the unmodified SDK, plain and streaming", async () => {
    const client = new FlowiseClient({ baseUrl: flowise.url });
    expect(await client.createPrediction({ chatflowId: flowIds.invoices, question: "abc" })).toMatchObject({ text: "ABC" });
    const tokens: string[] = [];
    for await (const event of await client.createPrediction({ chatflowId: flowIds.releaseNotes, question: "a b", streaming: true })) if (event.event === "token") tokens.push(String(event.data));
    expect(tokens.join("")).toBe("Draft for: a b");
  });
});
