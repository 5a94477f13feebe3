import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conversationIds } from "./conversation-ids";
import { FrameFilter, frameOf } from "./frames";

const person = { issuer: "https://id.example.test/realms/r", sub: "3f1c" };
const ids = conversationIds(person, { chatId: "my-chat", sessionId: "my-session" });
const canary = "CANARY: the system prompt";

async function filtered(chunks: Buffer[], showExecuted = false): Promise<{ text: string; filter: FrameFilter }> {
  const filter = new FrameFilter({ ids, showExecuted });
  const out: Buffer[] = [];
  filter.on("data", (chunk: Buffer) => out.push(chunk));
  const ended = new Promise((done, fail) => filter.once("end", done).once("error", fail));
  for (const chunk of chunks) filter.write(chunk);
  filter.end();
  await ended;
  return { text: Buffer.concat(out).toString("utf8"), filter };
}

const token = (text: string) => frameOf("token", text).toString();
const executed = frameOf("agentFlowExecutedData", [{ nodeId: "llm", data: { input: { messages: [canary, "text with\nlines and \u2028"] } } }]).toString();
const metadata = (chatId: string, sessionId: string) => frameOf("metadata", { chatId, chatMessageId: "m1", question: "hi", sessionId }).toString();
const end = frameOf("end", "[DONE]").toString();
const stream = [frameOf("start", "").toString(), token("Héllo "), ":heartbeat\n\n", executed, token("wörld 🌍"), "data: not ours\n\n", metadata(ids.upstream.chatId, ids.upstream.sessionId), end].join("");
const expected = [frameOf("start", "").toString(), token("Héllo "), ":heartbeat\n\n", token("wörld 🌍"), "data: not ours\n\n", metadata("my-chat", "my-session"), end].join("");

describe("the frame filter", () => {
  it("leaves executed data out, gives the caller's ids back, and passes the rest byte for byte", async () => {
    const { text, filter } = await filtered([Buffer.from(stream)]);
    expect(text).toBe(expected);
    expect(filter.seen).toEqual({ token: true, error: false, end: true });
  });

  it("gives the same wherever a chunk is cut", async () => {
    const bytes = Buffer.from(stream);
    for (let at = 1; at < bytes.length; at++) expect((await filtered([bytes.subarray(0, at), bytes.subarray(at)])).text).toBe(expected);
    expect((await filtered([...bytes].map((byte) => Buffer.from([byte])))).text).toBe(expected);
  });

  it("whatever streams are made of and however they are cut: nothing but executed data and two ids differs", async () => {
    const event = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => ({ event: "token", data: text as unknown })),
      fc.record({ event: fc.constantFrom("start", "nextAgentFlow", "usedTools", "error", "thinking"), data: fc.jsonValue() as fc.Arbitrary<unknown> }),
      fc.jsonValue().map((data) => ({ event: "agentFlowExecutedData", data: [canary, data] as unknown })),
    );
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), async (events, cuts) => {
      const bytes = Buffer.concat(events.map(({ event: name, data }) => frameOf(name, data)));
      const borders = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = borders.slice(1).map((border, i) => bytes.subarray(borders[i], border));
      const { text } = await filtered(chunks);
      expect(text).toBe(events.filter((e) => e.event !== "agentFlowExecutedData").map((e) => frameOf(e.event, e.data).toString()).join(""));
      expect((await filtered(chunks, true)).text).toBe(bytes.toString("utf8"));
    }), { numRuns: 200 });
  });

  it("a frame that was never finished is left out: it may be the beginning of one that must not pass", async () => {
    expect((await filtered([Buffer.from(token("a") + executed.slice(0, -1))])).text).toBe(token("a"));
  });

  it("a frame without end is an error, not our memory", async () => {
    await expect(filtered(Array.from({ length: 18 }, () => Buffer.alloc(1024 * 1024, "x")))).rejects.toThrow(/too large/);
  });

  it("an empty token is no answer", async () => {
    expect((await filtered([Buffer.from(token("") + end)])).filter.seen).toEqual({ token: false, error: false, end: true });
  });

  it("what must be done before the end is done before `end` goes out, once", async () => {
    const order: string[] = [];
    const filter = new FrameFilter({ ids, showExecuted: false, beforeEnd: async () => { await new Promise((r) => setTimeout(r, 20)); order.push("done"); } });
    filter.on("data", (chunk: Buffer) => order.push(chunk.toString().includes('"end"') ? "end" : "other"));
    filter.end(Buffer.from(token("a") + end));
    await new Promise((r) => filter.once("end", r));
    expect(order).toEqual(["other", "done", "end"]);
  });
});

describe("streams recorded from a real Flowise", () => {
  it.each(["sse-chatflow.txt", "sse-agentflow-llm.txt", "sse-aborted-agentflow.txt", "sse-error-unauthorized.txt", "sse-upstream-error-agentflow.txt"])("%s: every frame but executed data passes as it came", async (name) => {
    const file = readFileSync(new URL(`../../dev/flowise/fixtures/${name}`, import.meta.url), "utf8");
    const body = file.slice(file.indexOf("message:\n"));
    const kept = body.split(/(?<=\n\n)/).filter((frame) => frame.endsWith("\n\n") && !frame.includes('"event":"agentFlowExecutedData"'));
    const { text, filter } = await filtered([Buffer.from(body)]);
    const withoutIds = (value: string) => value.replace(/"(chatId|sessionId)":"[^"]*"/g, '"$1":""');
    expect(withoutIds(text)).toBe(withoutIds(kept.join("")));
    expect(filter.seen.end).toBe(true);
  });
});

describe("conversation ids", () => {
  it("of two people never meet, and are the same each time for one", () => {
    const other = conversationIds({ issuer: person.issuer, sub: "3f1d" }, { chatId: "my-chat", sessionId: "my-session" });
    expect(other.upstream.chatId).not.toBe(ids.upstream.chatId);
    expect(other.upstream.sessionId).not.toBe(ids.upstream.sessionId);
    expect(conversationIds(person, { chatId: "my-chat" }).upstream.chatId).toBe(ids.upstream.chatId);
  });

  it("a guessed upstream id leads nowhere: it is mapped again", () => {
    const thief = conversationIds({ issuer: person.issuer, sub: "thief" }, { chatId: ids.upstream.chatId, sessionId: ids.upstream.sessionId });
    expect(thief.upstream).not.toEqual(ids.upstream);
    expect(thief.given.chatId).toBe(ids.upstream.chatId);
  });

  it("are made when none are given, and a new conversation each time", () => {
    const a = conversationIds(person, {});
    expect(a.given.sessionId).toBe(a.given.chatId);
    expect(conversationIds(person, {}).given.chatId).not.toBe(a.given.chatId);
  });

  it("whoever the people are and whatever they choose, equal ids upstream mean the same person and the same id", () => {
    const who = fc.record({ issuer: fc.webUrl(), sub: fc.string({ minLength: 1 }) });
    fc.assert(fc.property(who, fc.string({ minLength: 1 }), who, fc.string({ minLength: 1 }), (a, x, b, y) => {
      const same = conversationIds(a, { chatId: x }).upstream.chatId === conversationIds(b, { chatId: y }).upstream.chatId;
      expect(same).toBe(a.issuer === b.issuer && a.sub === b.sub && x === y);
    }));
  });
});
