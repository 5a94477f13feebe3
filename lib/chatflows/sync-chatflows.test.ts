import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { flowIds } from "@/dev/flowise/flows";
import { startFlowise } from "@/dev/flowise/server";
import type { Call } from "@/dev/lib/calls";
import { anEngine } from "@/dev/testing/engine";
import { aPerson, contextOf } from "@/dev/testing/people";
import { jobContext, type Context } from "@/lib/access";
import { closeDb, db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { applyMigrations } from "@/lib/platform/migrate";
import { closeUpstream } from "@/lib/upstream";
import { assignByEmail, listMyChatflows, syncChatflows } from ".";
import { boundKeyOf } from "./bound-keys";

let flowise: Awaited<ReturnType<typeof startFlowise>>;
let admin: Context;
const name = `sync_${randomUUID().replaceAll("-", "")}`;
const job = () => jobContext("chatflows.sync", randomUUID());

/** A sync is about all chatflows there are, so these tests have a database of their own. */
beforeAll(async () => {
  const url = inject("adminDatabaseUrl");
  await onServer(`CREATE DATABASE ${name}`);
  const own = url.replace(/\/postgres$/, `/${name}`);
  await applyMigrations(own, "prisma/migrations");
  await closeDb();
  setEnv({ ...env(), DATABASE_URL: own });
});
beforeEach(async () => {
  await flowise?.close();
  flowise = await startFlowise({ serviceKey: env().FLOWISE_API_KEY ?? "" });
  setEnv({ ...env(), FLOWISE_URL: flowise.url });
  await db().chatflow.deleteMany();
  await db().syncRun.deleteMany();
  admin = contextOf(await aPerson({ role: "admin" }));
});
afterAll(async () => {
  await closeUpstream();
  await flowise.close();
  await closeDb();
  await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
});

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(inject("adminDatabaseUrl"));
  await client.connect();
  await client.query(statement);
  await client.end();
}

const atFlowise = async (method: string, path: string, body?: object) => {
  const answer = await fetch(`${flowise.url}/api/v1${path}`, { method, headers: { authorization: `Bearer ${env().FLOWISE_API_KEY}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  return (await answer.json()) as { id: string };
};
const order = (wish: object) => fetch(`${flowise.origin}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
const aFlow = (given: object = {}) => atFlowise("POST", "/chatflows", { name: "A flow", type: "CHATFLOW", flowData: '{"nodes":[],"edges":[]}', ...given });
const statusOf = async (id: string) => (await db().chatflow.findUnique({ where: { flowiseId: id } }))?.syncStatus;

describe("a sync", () => {
  it("copies what is there, and finds nothing to do the second time", async () => {
    const first = await syncChatflows(admin);
    expect(first).toMatchObject({ created: first.total_fetched, updated: 0, deleted: 0, errors: 0, error_details: [], sync_timestamp: expect.stringMatching(/Z$/), duration_ms: expect.any(Number) });
    expect(first.total_fetched).toBeGreaterThan(5);
    expect(await syncChatflows(admin)).toMatchObject({ created: 0, updated: 0, deleted: 0, errors: 0, total_fetched: first.total_fetched });
    const calls = (await (await fetch(`${flowise.origin}/__calls`)).json()) as Call[];
    expect(calls.every((call) => call.headers.authorization === `Bearer ${env().FLOWISE_API_KEY}`)).toBe(true);
    expect(await db().syncRun.count({ where: { succeeded: true } })).toBe(2);
  });

  it("carries a change over within the same second, and keeps what is ours", async () => {
    const { id } = await aFlow({ chatbotConfig: '{"b":1,"a":{"d":2,"c":3}}' });
    await syncChatflows(admin);
    await db().chatflow.update({ where: { flowiseId: id }, data: { costCredits: 5, allowOverride: true } });
    expect(await syncChatflows(admin)).toMatchObject({ updated: 0 });
    await atFlowise("PUT", `/chatflows/${id}`, { chatbotConfig: '{"b":1,"a":{"d":2,"c":4}}', name: "Renamed" });
    expect(await syncChatflows(admin)).toMatchObject({ updated: 1, created: 0 });
    expect(await db().chatflow.findUnique({ where: { flowiseId: id } })).toMatchObject({ name: "Renamed", chatbotConfig: { b: 1, a: { d: 2, c: 4 } }, costCredits: 5, allowOverride: true });
  });

  it("keeps what is gone as deleted, hidden, and brings it back with its assignments", async () => {
    const { id } = await aFlow();
    await syncChatflows(admin);
    const person = await aPerson();
    await assignByEmail(admin, id, person.email ?? "");
    const listing = async () => (await listMyChatflows(contextOf(person))).chatflows.map((flow) => flow.id);
    expect(await listing()).toEqual([id]);
    const whole = await (await fetch(`${flowise.url}/api/v1/chatflows`, { headers: { authorization: `Bearer ${env().FLOWISE_API_KEY}` } })).json();
    await atFlowise("DELETE", `/chatflows/${id}`);
    expect(await syncChatflows(admin)).toMatchObject({ deleted: 1 });
    expect(await statusOf(id)).toBe("deleted");
    expect(await listing()).toEqual([]);
    expect(await syncChatflows(admin)).toMatchObject({ deleted: 0 });
    const returned = await anEngine((req, res) => void res.end(JSON.stringify(req.url?.includes("streaming") ? { isStreaming: true } : whole)));
    setEnv({ ...env(), FLOWISE_URL: returned.url });
    expect(await syncChatflows(admin)).toMatchObject({ created: 0, deleted: 0 });
    expect(await listing()).toEqual([id]);
    await returned.close();
  });

  const refusals: [string, (full: string) => { status: number; body: string; cut?: boolean }][] = [
    ["401", () => ({ status: 401, body: '{"error":"Unauthorized Access"}' })],
    ["403", () => ({ status: 403, body: '{"message":"Forbidden"}' })],
    ["500", () => ({ status: 500, body: '{"statusCode":500}' })],
    ["a redirect", () => ({ status: 302, body: "" })],
    ["the web interface", () => ({ status: 200, body: "<!doctype html><html></html>" })],
    ["half a list", (full) => ({ status: 200, body: full.slice(0, full.length / 2) })],
    ["a list whose connection breaks", (full) => ({ status: 200, body: full.slice(0, full.length / 2), cut: true })],
    ["one page of it", (full) => ({ status: 200, body: `{"data":${full},"total":99}` })],
    ["nothing", () => ({ status: 200, body: "" })],
    ["null", () => ({ status: 200, body: "null" })],
    ["rows without ids", () => ({ status: 200, body: '[{"name":"x"}]' })],
  ];
  it.each(refusals)("that meets %s deletes nothing, says so, and is on record", async (_name, answer) => {
    await syncChatflows(admin);
    const before = await db().chatflow.findMany({ orderBy: { id: "asc" } });
    const full = JSON.stringify(before.map((flow) => ({ id: flow.flowiseId, name: flow.name, flowData: flow.flowData })));
    const { status, body, cut } = answer(full);
    const engine = await anEngine((_req, res) => {
      res.writeHead(status, cut ? { "content-length": String(body.length + 100) } : {});
      if (!cut) return void res.end(body);
      res.write(body);
      setTimeout(() => res.destroy(), 20);
    });
    setEnv({ ...env(), FLOWISE_URL: engine.url });
    await expect(syncChatflows(admin)).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_/) });
    await engine.close();
    expect(await db().chatflow.findMany({ orderBy: { id: "asc" } })).toEqual(before);
    expect(await db().syncRun.count({ where: { succeeded: false, error: { not: null } } })).toBe(1);
  });

  it("that is not answered in time deletes nothing", async () => {
    await syncChatflows(admin);
    // The deadline of the library that reads headers is coarse: up to a second later than asked for.
    setEnv({ ...env(), UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 150 });
    await order({ delayMs: 10_000 });
    await expect(syncChatflows(admin)).rejects.toMatchObject({ code: "upstream_timeout" });
    setEnv({ ...env(), UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 5000 });
    expect(await db().chatflow.count({ where: { syncStatus: "deleted" } })).toBe(0);
  });

  it("one flow that cannot be carried over is told and marked, the others are copied", async () => {
    const good = { id: randomUUID(), name: "good", flowData: "{}" };
    const bad = { id: randomUUID(), name: "bad", flowData: { not: "a string" } };
    const engine = await anEngine((req, res) => void res.end(JSON.stringify(req.url?.includes("streaming") ? { isStreaming: true } : [bad, good])));
    setEnv({ ...env(), FLOWISE_URL: engine.url });
    expect(await syncChatflows(admin)).toMatchObject({ created: 1, errors: 1, error_details: [{ chatflow_id: bad.id, error: expect.stringContaining("flowData") }] });
    expect(await statusOf(good.id)).toBe("active");
    Object.assign(good, { flowData: 7 });
    expect(await syncChatflows(admin)).toMatchObject({ deleted: 0, errors: 2 });
    expect(await statusOf(good.id)).toBe("error");
    await engine.close();
  });

  it("runs once at a time, over all replicas", async () => {
    await order({ delayMs: 100 });
    const results = await Promise.allSettled([syncChatflows(admin), syncChatflows(admin), syncChatflows(admin)]);
    expect(results.filter((r) => r.status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "conflict" });
    await order({ reset: true });
    await syncChatflows(admin);
  });

  it("needs the permission; a job has it; what changed is in the audit log", async () => {
    await expect(syncChatflows(contextOf(await aPerson()))).rejects.toMatchObject({ code: "insufficient_permission" });
    const events = () => db().auditEvent.count({ where: { action: "chatflows.synced" } });
    const before = await events();
    await syncChatflows(job());
    expect(await events()).toBe(before + 1);
    await syncChatflows(job());
    expect(await events()).toBe(before + 1);
    await syncChatflows(admin);
    expect(await events()).toBe(before + 2);
  });

  describe("where the operator's key stands in for people", () => {
    const serviceKey = (url = flowise.url) => setEnv({ ...env(), FLOWISE_AUTH: "service-key", FLOWISE_URL: url });

    it("brings the keys of bound chatflows, encrypted, and no others; a key that binds nothing any more goes", async () => {
      serviceKey();
      await syncChatflows(admin);
      const flow = await db().chatflow.findUniqueOrThrow({ where: { flowiseId: flowIds.bound } });
      const key = await boundKeyOf(flow);
      const [theirs] = (await (await fetch(`${flowise.url}/api/v1/apikey`, { headers: { authorization: `Bearer ${env().FLOWISE_API_KEY}` } })).json()) as { apiKey: string }[];
      expect(key).toBe(theirs?.apiKey);
      expect(JSON.stringify(await db().flowiseKey.findMany())).not.toContain(key);
      expect(await boundKeyOf({ apiKeyId: null })).toBeUndefined();
      setEnv({ ...env(), FLOWISE_AUTH: "user-token" });
      expect(await boundKeyOf(flow), "a person's token is never replaced by a key").toBeUndefined();
      serviceKey();
      await atFlowise("PUT", `/chatflows/${flowIds.bound}`, { apikeyid: "" });
      await syncChatflows(admin);
      expect(await db().flowiseKey.count()).toBe(0);
    });

    it("tells of chatflows whose key cannot be read, and of keys that are gone, and copies the flows all the same", async () => {
      serviceKey();
      await syncChatflows(admin);
      await atFlowise("PUT", `/chatflows/${flowIds.support}`, { apikeyid: "gone" });
      expect(await syncChatflows(admin)).toMatchObject({ updated: 1, error_details: [{ chatflow_id: flowIds.support, error: expect.stringContaining("does not have") }] });
      const whole = await (await fetch(`${flowise.url}/api/v1/chatflows`, { headers: { authorization: `Bearer ${env().FLOWISE_API_KEY}` } })).json();
      const closed = await anEngine((req, res) => {
        if (req.url === "/api/v1/apikey") return void res.writeHead(403).end('{"message":"Forbidden"}');
        res.end(JSON.stringify(req.url?.includes("streaming") ? { isStreaming: true } : whole));
      });
      serviceKey(closed.url);
      const answer = await syncChatflows(admin);
      expect(answer.error_details.map(({ error }) => error)).toEqual(Array(2).fill(expect.stringContaining("apikeys:view")));
      expect(await db().flowiseKey.count(), "what was known stays").toBe(1);
      await closed.close();
    });
  });
});
