import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { credentialCanary, flowIds, promptCanary } from "@/dev/flowise/flows";
import { startFlowise } from "@/dev/flowise/server";
import type { Call } from "@/dev/lib/calls";
import { anEngine } from "@/dev/testing/engine";
import { aPerson, contextOf } from "@/dev/testing/people";
import { jobContext, type Context, type Person } from "@/lib/access";
import { adjustCredits, checkLedger, getBalance } from "@/lib/credits";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { closeUpstream } from "@/lib/upstream";
import { parseFrame } from "./frames";
import { assignByEmail, canStream, getMyChatflow, listMyChatflows, predictOnce, runChatflow, runPrediction, streamChatflow, streamPrediction, syncChatflows, unassignByEmail, type StreamedAnswer } from ".";

let flowise: Awaited<ReturnType<typeof startFlowise>>;
let admin: Context;
const tenants = new Set<string>();

beforeAll(async () => {
  flowise = await startFlowise({ serviceKey: env().FLOWISE_API_KEY ?? "", heartbeatMs: 3_600_000 });
  setEnv({ ...env(), FLOWISE_URL: flowise.url, FLOWISE_AUTH: "service-key" });
  admin = contextOf(await aPerson({ role: "admin" }));
  await syncChatflows(jobContext("test", "test"));
  // The bound chatflow stands for one whose key we do not have.
  await db().flowiseKey.deleteMany();
});
beforeEach(async () => {
  setEnv({ ...env(), FLOWISE_URL: flowise.url, UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 5000, UPSTREAM_IDLE_TIMEOUT_MS: 90_000, UPSTREAM_TOTAL_TIMEOUT_MS: 300_000 });
  await order({ reset: true });
  await fetch(`${flowise.origin}/__calls`, { method: "DELETE" });
});
afterEach(async () => {
  await db().chatflow.updateMany({ data: { allowOverride: false, costCredits: 1 } });
  for (const tenant of tenants) expect(await checkLedger(tenant)).toEqual([]);
});
afterAll(async () => {
  await closeUpstream();
  await flowise.close();
});

const order = (wish: object) => fetch(`${flowise.origin}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
const calls = async () => (await (await fetch(`${flowise.origin}/__calls`)).json()) as (Call & { body: Record<string, unknown> })[];
const predictions = async () => (await calls()).filter((call) => call.path.startsWith("/api/v1/prediction/"));

/** Somebody to whom these chatflows are assigned. */
async function someone(flows: string[], role: "user" | "viewer" | "admin" = "user"): Promise<{ ctx: Context; person: Person; spent: () => Promise<number> }> {
  const person = await aPerson({ role });
  tenants.add(person.tenantId);
  for (const flow of flows) await assignByEmail(admin, flow, person.email ?? "");
  const ctx = contextOf(person);
  // Nothing may stay held, and what is gone is spent.
  const spent = async () => {
    const { available, held } = await getBalance(ctx);
    expect(held).toBe(0);
    return 1000 - available;
  };
  return { ctx, person, spent };
}

async function textOf(stream: Pick<StreamedAnswer, "body" | "done">): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.body as AsyncIterable<Buffer>) chunks.push(chunk);
  await stream.done;
  return Buffer.concat(chunks).toString("utf8");
}
const eventsIn = (text: string) => text.split("\n\n").map(parseFrame).filter((frame) => frame !== null);
const answerIn = (text: string) => eventsIn(text).filter((e) => e.event === "token").map((e) => e.data).join("");

async function streamOf(ctx: Context, flow: string, input: Parameters<typeof streamPrediction>[2], signal?: AbortSignal): Promise<StreamedAnswer> {
  const answer = await streamPrediction(ctx, flow, input, signal);
  if (answer.kind !== "stream") throw new Error("not a stream");
  return answer.stream;
}

/** Flowise as a test wants it, for this test. */
async function insteadOfFlowise(answer: Parameters<typeof anEngine>[0]) {
  const engine = await anEngine(answer);
  setEnv({ ...env(), FLOWISE_URL: engine.url });
  return engine;
}

describe("assignments", () => {
  it("nothing is assigned by default, and what is assigned is listed", async () => {
    const { ctx, person } = await someone([]);
    expect((await listMyChatflows(ctx)).chatflows).toEqual([]);
    await assignByEmail(admin, flowIds.support, person.email ?? "");
    expect((await listMyChatflows(ctx)).chatflows).toMatchObject([{ id: flowIds.support, name: "Support assistant", is_public: false, type: "CHATFLOW" }]);
    expect(JSON.stringify(await getMyChatflow(ctx, flowIds.support))).not.toContain("CANARY");
  });

  it("come page by page in the order of the whole list, each once, also when the last one of a page is taken away meanwhile", async () => {
    const { ctx, person } = await someone([flowIds.support, flowIds.releaseNotes, flowIds.invoices]);
    const pages = async (limit: number, between?: () => Promise<unknown>) => {
      const seen: string[] = [];
      for (let cursor: string | undefined; ;) {
        const { chatflows, nextCursor } = await listMyChatflows(ctx, { limit, cursor });
        expect(chatflows.length).toBeLessThanOrEqual(limit);
        seen.push(...chatflows.map((flow) => flow.id));
        if (!nextCursor) return seen;
        cursor = nextCursor;
        await between?.();
      }
    };
    const whole = (await listMyChatflows(ctx)).chatflows.map((flow) => flow.id);
    expect(whole).toHaveLength(3);
    for (const limit of [1, 2, 3, 100]) expect(await pages(limit)).toEqual(whole);
    expect(await pages(1, () => unassignByEmail(admin, whole[0] ?? "", person.email ?? "").catch(() => undefined))).toEqual(whole);
    await expect(listMyChatflows(ctx, { cursor: "zzz" })).rejects.toMatchObject({ code: "validation_failed" });
  });

  it("what is not assigned is 404 for everybody, admins too, and nothing moves", async () => {
    const { ctx, spent } = await someone([flowIds.releaseNotes]);
    for (const who of [ctx, (await someone([], "admin")).ctx]) {
      for (const id of [flowIds.support, randomUUID(), "no-uuid", "../x"]) {
        await expect(getMyChatflow(who, id)).rejects.toMatchObject({ code: "not_found" });
        await expect(runChatflow(who, { chatflow_id: id, question: "hi" })).rejects.toMatchObject({ code: "not_found" });
        await expect(streamPrediction(who, id, { question: "hi", streaming: true })).rejects.toMatchObject({ code: "not_found" });
      }
    }
    expect(await calls()).toEqual([]);
    expect(await spent()).toBe(0);
  });

  it("a key that is limited to chatflows lists and runs only those of them that are assigned", async () => {
    const { person, spent } = await someone([flowIds.support, flowIds.releaseNotes]);
    const limited = { ...contextOf(person), chatflowIds: [flowIds.support, flowIds.invoices] };
    expect((await listMyChatflows(limited)).chatflows.map((flow) => flow.id)).toEqual([flowIds.support]);
    for (const id of [flowIds.releaseNotes, flowIds.releaseNotes.toUpperCase(), flowIds.invoices]) {
      await expect(getMyChatflow(limited, id)).rejects.toMatchObject({ code: "not_found" });
      await expect(predictOnce(limited, { chatflow_id: id, question: "q" }, new AbortController().signal)).rejects.toMatchObject({ code: "not_found" });
      await expect(streamPrediction(limited, id, { question: "q", streaming: true })).rejects.toMatchObject({ code: "not_found" });
    }
    expect((await getMyChatflow(limited, flowIds.support.toUpperCase())).id).toBe(flowIds.support);
    expect(await spent()).toBe(0);
  });

  it("are given, given again, taken away once, and given back; each change is in the audit log of the person's tenant", async () => {
    const { ctx, person } = await someone([]);
    const email = person.email ?? "";
    expect(await assignByEmail(admin, flowIds.support, email)).toEqual({ user_id: person.userId, username: person.username, email, chatflow_id: flowIds.support, chatflow_name: "Support assistant", status: "success", message: "Assigned." });
    expect((await assignByEmail(admin, flowIds.support, email)).status).toBe("success");
    expect((await unassignByEmail(admin, flowIds.support, email)).removed_at).toMatch(/Z$/);
    expect((await listMyChatflows(ctx)).chatflows).toEqual([]);
    await expect(runPrediction(ctx, flowIds.support, { question: "hi" })).rejects.toMatchObject({ code: "not_found" });
    await expect(unassignByEmail(admin, flowIds.support, email)).rejects.toMatchObject({ code: "already_inactive" });
    expect((await assignByEmail(admin, flowIds.support, email)).status).toBe("reactivated");
    expect((await listMyChatflows(ctx)).chatflows).toHaveLength(1);
    const events = await db().auditEvent.findMany({ where: { chain: person.tenantId, action: { startsWith: "assignment." } }, orderBy: { writeOrder: "asc" } });
    expect(events.map((e) => e.action)).toEqual(["assignment.created", "assignment.removed", "assignment.reactivated"]);
  });

  it("need the permission, a known chatflow and an email that is somebody's", async () => {
    const { ctx, person } = await someone([]);
    await expect(assignByEmail(ctx, flowIds.support, person.email ?? "")).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(assignByEmail(admin, randomUUID(), person.email ?? "")).rejects.toMatchObject({ code: "not_found" });
    await expect(assignByEmail(admin, flowIds.support, "nobody@example.test")).rejects.toMatchObject({ code: "not_found" });
    await expect(unassignByEmail(admin, flowIds.support, person.email ?? "")).rejects.toMatchObject({ code: "not_found" });
  });

  it("whether a chatflow streams is told without a credential, and false for what does not exist", async () => {
    expect([await canStream(flowIds.support), await canStream(flowIds.invoices), await canStream(randomUUID()), await canStream("x")]).toEqual([true, false, false, false]);
  });
});

describe("a plain run", () => {
  it("answers in the older client's shape and costs what the chatflow costs", async () => {
    const { ctx, person, spent } = await someone([flowIds.support]);
    await db().chatflow.update({ where: { flowiseId: flowIds.support }, data: { costCredits: 3 } });
    const { answer, hold } = await predictOnce(ctx, { chatflow_id: flowIds.support, question: "Hello", sessionId: "s1" });
    expect(answer).toMatchObject({ response: "You said: Hello", credits_used: 3, metadata: { chatflow_id: flowIds.support, cost: 3, remaining_credits: 997, user: person.username, streaming: false, sessionId: "s1", chatMessageId: expect.any(String) } });
    expect(hold).toMatchObject({ amount: 3, remaining: 997 });
    expect(await spent()).toBe(3);
  });

  it("conversations of two people with the same ids never meet, and each goes on for its own", async () => {
    const [a, b] = [await someone([flowIds.support]), await someone([flowIds.support])];
    const ask = (ctx: Context) => runPrediction(ctx, flowIds.support, { question: "Hi", chatId: "1", overrideConfig: { sessionId: "1" } }).then(({ data }) => data);
    expect(await ask(a.ctx)).toMatchObject({ text: "You said: Hi", chatId: "1", sessionId: "1" });
    expect(await ask(b.ctx)).toMatchObject({ text: "You said: Hi", chatId: "1", sessionId: "1" });
    expect((await ask(a.ctx)).text).toBe("(turn 2) You said: Hi");
    const ids = (await predictions()).map((call) => call.body.chatId);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it("only the contract's fields travel; overrides and uploads by address only where the chatflow allows them", async () => {
    const { ctx } = await someone([flowIds.overrides]);
    const input = {
      question: "q", overrideConfig: { sessionId: "s", vars: { a: 1 } }, uploads: [{ type: "url", name: "x", data: "http://10.0.0.1/" }, { type: "file", name: "y", data: "data:text/plain;base64,eA==" }],
      evaluation: true, chatflowid: "other", apikey: "k",
    };
    await runPrediction(ctx, flowIds.overrides, input);
    await db().chatflow.update({ where: { flowiseId: flowIds.overrides }, data: { allowOverride: true } });
    await runPrediction(ctx, flowIds.overrides, input);
    const [closed, open] = (await predictions()).map((call) => call.body);
    expect(Object.keys(closed ?? {}).sort()).toEqual(["chatId", "overrideConfig", "question", "streaming", "uploads"]);
    expect(Object.keys(closed?.overrideConfig as object)).toEqual(["sessionId"]);
    expect(closed?.uploads).toEqual([{ type: "file", name: "y", data: "data:text/plain;base64,eA==" }]);
    expect(open?.overrideConfig).toMatchObject({ vars: { a: 1 } });
    expect(open?.uploads).toHaveLength(2);
  });

  it("what shows prompts and credential ids never reaches a caller without ai:admin", async () => {
    const user = await someone([flowIds.releaseNotes]);
    const boss = await someone([flowIds.releaseNotes], "admin");
    const plain = await runPrediction(user.ctx, flowIds.releaseNotes, { question: "q" });
    const streamed = await textOf(await streamOf(user.ctx, flowIds.releaseNotes, { question: "q", streaming: true }));
    for (const text of [JSON.stringify(plain.data), streamed]) {
      expect(text).toContain("Draft");
      expect(text).not.toContain(promptCanary);
      expect(text).not.toContain(credentialCanary);
      expect(text).not.toContain("agentFlowExecutedData");
    }
    expect(JSON.stringify((await runPrediction(boss.ctx, flowIds.releaseNotes, { question: "q" })).data)).toContain(promptCanary);
    expect(await textOf(await streamOf(boss.ctx, flowIds.releaseNotes, { question: "q", streaming: true }))).toContain("agentFlowExecutedData");
  });

  it("without credits nothing is sent", async () => {
    const { ctx, person } = await someone([flowIds.support]);
    await getBalance(ctx);
    await adjustCredits(admin, person.userId, { amount: -1000, reason: "test" });
    await expect(runPrediction(ctx, flowIds.support, { question: "q" })).rejects.toMatchObject({ code: "out_of_credits" });
    await expect(streamPrediction(ctx, flowIds.support, { question: "q", streaming: true })).rejects.toMatchObject({ code: "out_of_credits" });
    expect(await calls()).toEqual([]);
  });

  it("a key without ai:predict runs nothing", async () => {
    const { person, spent } = await someone([flowIds.support]);
    await expect(runPrediction(contextOf(person, { permissions: ["chatflows:read"] }), flowIds.support, { question: "q" })).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await spent()).toBe(0);
  });

  it.each([["broken", "upstream_error"], ["failingEarly", "upstream_error"], ["bound", "upstream_unauthorised"]] as const)("of the %s flow is %s, costs nothing and is not repeated", async (flow, code) => {
    const { ctx, spent } = await someone([flowIds[flow]]);
    await expect(runPrediction(ctx, flowIds[flow], { question: "q" })).rejects.toMatchObject({ code });
    expect(await spent()).toBe(0);
    expect(await predictions()).toHaveLength(1);
  });

  it("Flowise's own limit is told with its Retry-After", async () => {
    const { ctx, spent } = await someone([flowIds.support]);
    await order({ failNext: { status: 429, times: 1, retryAfter: 60 } });
    await expect(runPrediction(ctx, flowIds.support, { question: "q" })).rejects.toMatchObject({ code: "upstream_error", options: { retryAfterSeconds: 60 } });
    expect(await spent()).toBe(0);
  });

  it("an answer that is none (a web page, a list, half of one) is upstream_error and costs nothing", async () => {
    const { ctx, spent } = await someone([flowIds.support]);
    for (const answer of ["<!doctype html>", "[]", '"x"', ""]) {
      const engine = await insteadOfFlowise((_req, res) => void res.writeHead(200, { "content-type": "text/html" }).end(answer));
      await expect(runPrediction(ctx, flowIds.support, { question: "q" })).rejects.toMatchObject({ code: "upstream_error" });
      await engine.close();
    }
    const engine = await insteadOfFlowise((_req, res) => {
      res.writeHead(200, { "content-length": "100" }).write('{"text":');
      setTimeout(() => res.destroy(), 20);
    });
    await expect(runPrediction(ctx, flowIds.support, { question: "q" })).rejects.toMatchObject({ code: "upstream_error" });
    await engine.close();
    expect(await spent()).toBe(0);
  });

  it("a caller who leaves is charged, because the engine is at work for them", async () => {
    const { ctx, spent } = await someone([flowIds.silent]);
    const leaving = new AbortController();
    const run = runPrediction(ctx, flowIds.silent, { question: "q" }, leaving.signal);
    while ((await predictions()).length === 0) await new Promise((r) => setTimeout(r, 10));
    leaving.abort();
    await expect(run).rejects.toThrow();
    expect(await spent()).toBe(1);
    expect((await predictions())[0]?.aborted).toBe(true);
  });
});

it("a caller who had left before the engine was asked pays nothing, and the engine hears nothing, streamed or not", async () => {
  const { ctx, spent } = await someone([flowIds.support]);
  await expect(runPrediction(ctx, flowIds.support, { question: "q" }, AbortSignal.abort())).rejects.toThrow();
  await expect(streamPrediction(ctx, flowIds.support, { question: "q", streaming: true }, AbortSignal.abort())).rejects.toThrow();
  expect(await calls()).toEqual([]);
  expect(await spent()).toBe(0);
});

describe("a streamed run", () => {
  it("passes Flowise's events as they come, with the caller's ids, and its credits are settled when its end is seen", async () => {
    const { ctx, spent } = await someone([flowIds.support]);
    await order({ chunkDelayMs: 60 });
    const stream = await streamOf(ctx, flowIds.support, { question: "one two three", chatId: "my chat", streaming: true });
    expect(stream).toMatchObject({ status: 200, headers: { "content-type": "text/event-stream" }, hold: { amount: 1, remaining: 999 } });
    const pieces: string[] = [];
    for await (const chunk of stream.body as AsyncIterable<Buffer>) {
      pieces.push(chunk.toString());
      if (chunk.toString().includes('"end"')) expect(await spent()).toBe(1);
    }
    expect(pieces.length).toBeGreaterThan(4);
    const events = eventsIn(pieces.join(""));
    expect(answerIn(pieces.join(""))).toBe("You said: one two three");
    expect(events.at(-2)).toMatchObject({ event: "metadata", data: { chatId: "my chat", sessionId: "my chat" } });
    expect(events.at(-1)).toEqual({ event: "end", data: "[DONE]" });
    expect(pieces.join("").startsWith('message:\ndata:{"event":"start","data":""}\n\n')).toBe(true);
  });

  it("of a flow that cannot stream gives one token, metadata and end; Flowise's own door its JSON", async () => {
    const { ctx, spent } = await someone([flowIds.invoices]);
    const text = await textOf(await streamChatflow(ctx, { chatflow_id: flowIds.invoices, question: "hello", session_id: "s" }));
    expect(eventsIn(text)).toMatchObject([{ event: "token", data: "HELLO" }, { event: "metadata", data: { sessionId: "s" } }, { event: "end", data: "[DONE]" }]);
    const own = await streamPrediction(ctx, flowIds.invoices, { question: "hello", streaming: true });
    expect(own).toMatchObject({ kind: "json", plain: { data: { text: "HELLO" } } });
    expect((await predictions()).map((call) => call.body.streaming)).toEqual([false, false]);
    expect(await spent()).toBe(2);
  });

  it("of a flow that Flowise no longer streams is answered by what comes, not by what was asked", async () => {
    const { ctx, spent } = await someone([flowIds.invoices]);
    await db().chatflow.update({ where: { flowiseId: flowIds.invoices }, data: { canStream: true } });
    const text = await textOf(await streamChatflow(ctx, { chatflow_id: flowIds.invoices, question: "hello" }));
    await db().chatflow.update({ where: { flowiseId: flowIds.invoices }, data: { canStream: false } });
    expect(answerIn(text)).toBe("HELLO");
    expect(await spent()).toBe(1);
  });

  it.each([["failingEarly", "upstream_error"], ["bound", "upstream_unauthorised"]] as const)("whose first event is an error (%s) is a problem, not a stream, and costs nothing", async (flow, code) => {
    const { ctx, spent } = await someone([flowIds[flow]]);
    await expect(streamPrediction(ctx, flowIds[flow], { question: "q", streaming: true })).rejects.toMatchObject({ code });
    expect(await spent()).toBe(0);
  });

  it("so too when a heartbeat came before the error", async () => {
    const { ctx, spent } = await someone([flowIds.support]);
    const engine = await insteadOfFlowise((_req, res) => void res.writeHead(200, { "content-type": "text/event-stream" }).end(':heartbeat\n\nmessage:\ndata:{"event":"error","data":"Error: predictionsServices.buildChatflow - Unauthorized"}\n\n'));
    await expect(streamPrediction(ctx, flowIds.support, { question: "q", streaming: true })).rejects.toMatchObject({ code: "upstream_unauthorised" });
    await engine.close();
    expect(await spent()).toBe(0);
  });

  it("that fails after some words passes Flowise's error, and those words are paid for", async () => {
    const { ctx, spent } = await someone([flowIds.broken]);
    const text = await textOf(await streamOf(ctx, flowIds.broken, { question: "q", streaming: true }));
    expect(eventsIn(text).map((e) => e.event)).toEqual(["start", "token", "token", "error", "end"]);
    expect(await spent()).toBe(1);
  });

  it("that is silent is upstream_timeout after the first-byte deadline, costs nothing, and the conversation is free again", async () => {
    const { ctx, spent } = await someone([flowIds.silent, flowIds.support]);
    setEnv({ ...env(), UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 200 });
    const ask = () => streamPrediction(ctx, flowIds.silent, { question: "q", chatId: "c", streaming: true });
    await expect(ask()).rejects.toMatchObject({ code: "upstream_timeout" });
    await expect(ask()).rejects.toMatchObject({ code: "upstream_timeout" });
    expect(await spent()).toBe(0);
    expect(await predictions()).toHaveLength(2);
  });

  it("that falls silent half way is ended in Flowise's words, and its words are paid for", async () => {
    const { ctx, spent } = await someone([flowIds.halfSilent]);
    setEnv({ ...env(), UPSTREAM_IDLE_TIMEOUT_MS: 300 });
    const text = await textOf(await streamOf(ctx, flowIds.halfSilent, { question: "q", streaming: true }));
    expect(eventsIn(text).map((e) => e.event)).toEqual(["start", "token", "error", "end"]);
    expect(await spent()).toBe(1);
  });

  it("that breaks off before a word costs nothing", async () => {
    const { ctx, spent } = await someone([flowIds.support]);
    const engine = await insteadOfFlowise((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).write('message:\ndata:{"event":"start","data":""}\n\nmessage:\ndata:{"event":"tok');
      setTimeout(() => res.destroy(), 30);
    });
    const text = await textOf(await streamOf(ctx, flowIds.support, { question: "q", streaming: true }));
    await engine.close();
    expect(eventsIn(text).map((e) => e.event)).toEqual(["start", "error", "end"]);
    expect(await spent()).toBe(0);
  });

  it("whose caller leaves is aborted upstream and settled, and an agent is told to stop", async () => {
    const { ctx, spent } = await someone([flowIds.releaseNotes]);
    await order({ chunkDelayMs: 50 });
    const leaving = new AbortController();
    const stream = await streamOf(ctx, flowIds.releaseNotes, { question: "a b c d e f g h", streaming: true }, leaving.signal);
    leaving.abort();
    await stream.done;
    expect(await spent()).toBe(1);
    const [run, abort] = await calls();
    expect(run?.aborted).toBe(true);
    expect(abort).toMatchObject({ method: "PUT", path: `/api/v1/chatmessage/abort/${flowIds.releaseNotes}/${run?.body.chatId}` });
  });

  it("whose body is destroyed by the door is aborted upstream and settled as well", async () => {
    const { ctx, spent } = await someone([flowIds.halfSilent]);
    const stream = await streamOf(ctx, flowIds.halfSilent, { question: "q", streaming: true });
    stream.body.destroy();
    await stream.done;
    expect(await spent()).toBe(1);
    expect((await predictions())[0]?.aborted).toBe(true);
  });

  it("one at a time in a conversation, whoever asks from wherever; others, and other people's, are free", async () => {
    const { ctx, spent } = await someone([flowIds.halfSilent, flowIds.support]);
    const other = await someone([flowIds.halfSilent]);
    const ask = (who: Context, chatId: string, signal?: AbortSignal) => streamOf(who, flowIds.halfSilent, { question: "q", chatId, streaming: true }, signal);
    const leaving = new AbortController();
    const open = [await ask(ctx, "c", leaving.signal), await ask(ctx, "d", leaving.signal), await ask(other.ctx, "c", leaving.signal)];
    await expect(ask(ctx, "c")).rejects.toMatchObject({ code: "conflict", options: { retryAfterSeconds: 1 } });
    leaving.abort();
    await Promise.all(open.map((stream) => stream.done));
    expect(await spent()).toBe(2);
    const again = new AbortController();
    const next = await ask(ctx, "c", again.signal);
    again.abort();
    await next.done;
  });

  it("the next question of a conversation may follow as soon as the end is seen", async () => {
    const { ctx } = await someone([flowIds.support]);
    for (let turn = 0; turn < 5; turn++) {
      const stream = await streamOf(ctx, flowIds.support, { question: "q", chatId: "c", streaming: true });
      for await (const chunk of stream.body as AsyncIterable<Buffer>) if (chunk.toString().includes('"end"')) break;
    }
    expect(await predictions()).toHaveLength(5);
  });

  it("two people at once in the same conversation id each get their own answer", async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => someone([flowIds.support])));
    const texts = await Promise.all(people.map(async ({ ctx }, i) => textOf(await streamOf(ctx, flowIds.support, { question: `I am ${i}`, chatId: "same", streaming: true }))));
    expect(texts.map(answerIn)).toEqual(people.map((_, i) => `You said: I am ${i}`));
    for (const { spent } of people) expect(await spent()).toBe(1);
  });
});
