import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, callsTo, demo, doors, eachDoor, forgetCalls, keyOf, revoke, signIn, tokensOf } from "./client";

let uma: string;
let gus: string;
let ada: { id: string; key: string };
beforeAll(async () => {
  [uma, gus] = (await Promise.all([tokensOf("uma"), tokensOf("gus")])).map((t) => t.access_token) as [string, string];
  ada = await keyOf("ada", { permissions: ["*"] });
  expect((await call(doors.own, "POST", `/api/admin/chatflows/${flowIds.silent}/users/email/uma@acme.test`, { key: ada.key })).status).toBe(200);
});
afterAll(() => revoke("ada", ada.id));

type Row = Record<string, unknown>;

/** Answers of the API with this status, as the stack's own door counts them. */
async function metricOf(status: string): Promise<number> {
  const { text } = await call(doors.own, "GET", "/api/metrics", { bearer: demo.metricsToken });
  return text.split("\n").filter((line) => line.startsWith("sluice_http_requests_total{") && line.includes('door="api"') && line.includes(`status="${status}"`)).reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

describe.each(eachDoor)("usage at the $name door", ({ name, url }) => {
  const requestsOf = async (id: string, query = "") => (await call(url, "GET", `/api/v1/requests?apiKeyId=${id}${query}`, { bearer: uma })).json.data as Row[];

  it("a call, an error and a refusal are in the log and in the hour's counts two seconds later", async () => {
    const { key, id } = await keyOf("uma", { rateLimit: { requests: 2, window: 60 }, permissions: ["read"] });
    const headers = { "user-agent": "counted/1.0" };
    expect((await call(url, "GET", "/api/v1/auth/me?secret=never", { key, headers })).status).toBe(200);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${randomUUID()}`, { key, headers })).status).toBe(404);
    expect((await call(url, "GET", "/api/v1/auth/me", { key, headers: { ...headers, "x-request-id": "one-too-many" } })).status).toBe(429);
    await expect.poll(async () => (await requestsOf(id)).length, { timeout: 5000 }).toBe(3);
    const rows = await requestsOf(id);
    expect(rows.map(({ status, code, route }) => [status, code, route])).toEqual([[429, "rate_limited", "/api/v1/auth/me"], [404, "not_found", "/api/v1/auth/api-keys/:id"], [200, undefined, "/api/v1/auth/me"]]);
    expect(rows[0]).toMatchObject({ requestId: "one-too-many", method: "GET", apiKeyId: id, credits: 0, /* Next.js alone cannot know it. */ ip: name === "own" ? expect.stringMatching(/127\.0\.0\.1|::1/) : null, userAgent: "counted/1.0", ms: expect.any(Number), at: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(JSON.stringify(rows)).not.toContain("never");
    expect((await requestsOf(id, "&status=4xx")).length).toBe(2);
    expect((await requestsOf(id, "&status=429")).length).toBe(1);

    const usage = await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: uma });
    expect(usage.status).toBe(200);
    expect(usage.json.data).toMatchObject({ totalRequests: 2, errors: 1, rateLimited: 1, creditsSpent: 0, lastUsedAt: expect.any(String), lastRequestAt: expect.any(String) });
    expect(usage.json.data.series.length).toBeGreaterThanOrEqual(24);
    expect(usage.json.data.series.reduce((sum: number, point: { requests: number }) => sum + point.requests, 0)).toBe(2);
    const daily = await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage?granularity=day`, { bearer: uma });
    expect([daily.json.data.totalRequests, daily.json.data.series.length]).toEqual([2, 31]);
    for (const bad of ["granularity=week", "from=soon", "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=2000-01-01", "x=1"]) {
      expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage?${bad}`, { bearer: uma })).json.code, bad).toBe("validation_failed");
    }
    await revoke("uma", id);
  });

  it("a prediction is logged with its engine and its credits, a stream when it has ended", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["write"] });
    const body = { chatflow_id: flowIds.support, question: "hello" };
    const plain = await call(url, "POST", "/api/v1/chat/predict", { key, body, headers: { "x-request-id": "plain" } });
    const streamed = await call(url, "POST", "/api/v1/chat/predict/stream", { key, body, headers: { "x-request-id": "streamed" } });
    expect([plain.status, streamed.status]).toEqual([200, 200]);
    await expect.poll(async () => (await requestsOf(id)).map(({ requestId, upstream, credits, status }) => ({ requestId, upstream, credits, status })), { timeout: 5000 })
      .toEqual(["streamed", "plain"].map((requestId) => ({ requestId, upstream: "flowise", credits: 1, status: 200 })));
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: uma })).json.data.creditsSpent).toBe(2);
    await revoke("uma", id);
  });

  it("a caller who leaves is 499 in the log and nobody's error, and pays for what the engine had received", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["write"] });
    const before = await metricOf("5xx");
    await forgetCalls("flowise");
    const leaving = new AbortController();
    const asked = fetch(`${url}/api/v1/chat/predict`, { method: "POST", signal: leaving.signal, headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify({ chatflow_id: flowIds.silent, question: "x" }) }).catch(() => null);
    await expect.poll(async () => (await callsTo("flowise")).some((c) => c.path.includes("/prediction/")), { timeout: 5000 }).toBe(true);
    leaving.abort();
    await asked;
    await expect.poll(async () => (await requestsOf(id)).map(({ status, code, credits }) => [status, code, credits]), { timeout: 5000 }).toEqual([[499, "client_closed", 1]]);
    expect(await requestsOf(id, "&status=4xx")).toEqual([]);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: uma })).json.data).toMatchObject({ totalRequests: 1, errors: 0, creditsSpent: 1 });
    expect(await metricOf("5xx")).toBe(before);
    await revoke("uma", id);
  });

  it("signing a program in with a key is one of the key's calls", async () => {
    const { key, id } = await keyOf("uma");
    expect((await call(url, "POST", "/api/v1/chat/authenticate", { body: { api_key: key } })).status).toBe(200);
    await expect.poll(async () => (await requestsOf(id)).map(({ route }) => route), { timeout: 5000 }).toEqual(["/api/v1/chat/authenticate"]);
    await revoke("uma", id);
  });

  it("a call to an address that does not exist is in the log without its path, and a wrong method by its pattern", async () => {
    const { key, id } = await keyOf("uma");
    const unknown = await call(url, "GET", `/api/v1/nothing/${randomUUID()}?secret=never`, { key });
    expect([unknown.status, unknown.json.code]).toEqual([404, "not_found"]);
    expect((await call(url, "PUT", `/api/v1/auth/api-keys/${id}`, { key, body: {} })).status).toBe(405);
    await expect.poll(async () => (await requestsOf(id)).map(({ method, route, status, code }) => [method, route, status, code]), { timeout: 15_000 })
      .toEqual([["PUT", "/api/v1/auth/api-keys/:id", 405, "method_not_allowed"], ["GET", "unknown", 404, "not_found"]]);
    expect((await requestsOf(id, "&status=error")).length).toBe(2);
    expect(await requestsOf(id, "&status=refused")).toEqual([]);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: uma })).json.data).toMatchObject({ totalRequests: 2, errors: 2, rateLimited: 0 });
    await revoke("uma", id);
    expect((await call(url, "GET", "/api/v1/nothing", { key })).json.code).toBe("key_revoked");
  });

  it("what the portal calls with a session is marked, and left out unless it is asked for", async () => {
    const cookie = (await signIn("gus")).cookies(demo.url);
    const [fromPortal, fromProgram] = [`portal-${randomUUID()}`, `program-${randomUUID()}`];
    await call(url, "GET", "/api/v1/auth/me", { cookie, headers: { "x-request-id": fromPortal } });
    await call(url, "GET", "/api/v1/auth/me", { bearer: gus, headers: { "x-request-id": fromProgram } });
    const list = async (query: string) => (await call(url, "GET", `/api/v1/requests?limit=100${query}`, { bearer: gus })).json.data as Row[];
    const idsOf = async (query: string) => (await list(query)).map(({ requestId }) => requestId);
    await expect.poll(() => idsOf("&includePortal=true"), { timeout: 15_000 }).toEqual(expect.arrayContaining([fromPortal, fromProgram]));
    const usual = await list("");
    expect(usual.map(({ requestId }) => requestId)).toContain(fromProgram);
    expect(usual.filter((row) => row.portal || row.requestId === fromPortal)).toEqual([]);
    expect(await list(`&requestId=${fromPortal}`)).toMatchObject([{ requestId: fromPortal, portal: true }]);
    expect((await call(url, "GET", "/api/v1/requests?includePortal=maybe", { bearer: gus })).status).toBe(422);
  });

  it("the log has pages", async () => {
    const { key, id } = await keyOf("uma");
    for (let i = 0; i < 5; i++) await call(url, "GET", "/api/v1/auth/me", { key });
    await expect.poll(async () => (await requestsOf(id)).length, { timeout: 5000 }).toBe(5);
    const first = await call(url, "GET", `/api/v1/requests?apiKeyId=${id}&limit=3`, { bearer: uma });
    expect(first.json.page).toEqual({ limit: 3, nextCursor: expect.any(String) });
    const second = await call(url, "GET", `/api/v1/requests?apiKeyId=${id}&limit=3&cursor=${first.json.page.nextCursor}`, { bearer: uma });
    expect([second.json.data.length, second.json.page.nextCursor]).toEqual([2, null]);
    expect((await call(url, "GET", "/api/v1/requests?cursor=x", { bearer: uma })).status).toBe(422);
    await revoke("uma", id);
  });

  it("others see nothing of it; an administrator sees all, under both addresses", async () => {
    const { key, id } = await keyOf("uma");
    await call(url, "GET", "/api/v1/auth/me", { key });
    await expect.poll(async () => (await requestsOf(id)).length, { timeout: 5000 }).toBe(1);
    expect((await call(url, "GET", `/api/v1/requests?apiKeyId=${id}`, { bearer: gus })).json.data).toEqual([]);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: gus })).status).toBe(404);
    for (const base of ["/api/admin", "/api/v1/admin"]) {
      const all = await call(url, "GET", `${base}/requests?apiKeyId=${id}`, { key: ada.key });
      expect(all.json.data).toMatchObject([{ apiKeyId: id, userId: expect.any(String), tenantId: expect.any(String) }]);
      expect((await call(url, "GET", `${base}/requests`, { bearer: uma })).json).toMatchObject({ code: "insufficient_permission", permission: "admin:audit" });
    }
    await revoke("uma", id);
  });

  it("why a call was refused is told to its owner and to an auditor, by its request id", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["chatflows:read"] });
    const requestId = `why-${randomUUID()}`;
    expect((await call(url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {}, headers: { "x-request-id": requestId } })).status).toBe(403);
    const why = await call(url, "GET", `/api/v1/decisions/${requestId}`, { bearer: uma });
    expect(why.json.data).toEqual({ requestId, at: expect.any(String), code: "insufficient_permission", check: "permission", seen: ["chatflows:read"], limit: "nflow:read", apiKeyId: id });
    expect((await call(url, "GET", `/api/v1/decisions/${requestId}`, { key: ada.key })).json.data).toEqual(why.json.data);
    expect((await call(url, "GET", `/api/v1/decisions/${requestId}`, { bearer: gus })).status).toBe(404);
    await revoke("uma", id);
    await call(url, "GET", "/api/v1/auth/me", { key, headers: { "x-request-id": `${requestId}.2` } });
    expect((await call(url, "GET", `/api/v1/decisions/${requestId}.2`, { bearer: uma })).json.data).toMatchObject({ code: "key_revoked", check: "revoked", apiKeyId: id });
  });

  it("too few credits are told with what was there and what it costs", async () => {
    const { id: userId } = (await tokensOf("gus")).user;
    const { key, id } = await keyOf("gus", { permissions: ["write"] });
    const { credits } = (await call(url, "GET", "/api/v1/chat/credits", { key })).json as { credits: number };
    const adjust = (amount: number) => call(url, "POST", `/api/admin/users/${userId}/credits`, { key: ada.key, body: { amount, reason: "test" } });
    const assigned = `/api/admin/chatflows/${flowIds.support}/users/email/gus@globex.test`;
    await call(url, "POST", assigned, { key: ada.key });
    await adjust(-credits);
    const refused = await call(url, "POST", "/api/v1/chat/predict", { key, body: { chatflow_id: flowIds.support, question: "q" } });
    await adjust(credits);
    await call(url, "DELETE", assigned, { key: ada.key });
    expect(refused.status).toBe(402);
    expect((await call(url, "GET", `/api/v1/decisions/${refused.headers.get("x-request-id")}`, { key })).json.data).toMatchObject({ check: "credits", seen: 0, limit: 1 });
    // Refused in the log and in the counts alike, though the key's check had admitted it.
    const listed = async (status: string) => ((await call(url, "GET", `/api/v1/requests?apiKeyId=${id}&status=${status}`, { bearer: gus })).json.data as Row[]).map(({ code }) => code);
    await expect.poll(() => listed("refused"), { timeout: 15_000 }).toEqual(["out_of_credits"]);
    expect(await listed("error")).toEqual([]);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/usage`, { bearer: gus })).json.data).toMatchObject({ rateLimited: 1, errors: 0 });
    await revoke("gus", id);
  });

  it("what would happen if: by permission, by path, from an address, later, and nothing is taken for it", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["chatflows:read"], rateLimit: { requests: 1, window: 60 }, expiresIn: 3600 });
    const ask = (about: object) => call(url, "POST", "/api/v1/decisions/what-if", { bearer: uma, body: { apiKeyId: id, ...about } });
    expect((await ask({})).json.data).toMatchObject({ admitted: true });
    expect((await ask({ method: "GET", path: "/api/v1/chatflows" })).json.data).toMatchObject({ admitted: true, permission: "chatflows:read" });
    expect((await ask({ method: "POST", path: `/api/v1/prediction/${flowIds.support}` })).json.data).toMatchObject({ admitted: false, code: "insufficient_permission", permission: "ai:predict" });
    expect((await ask({ at: new Date(Date.now() + 7_200_000).toISOString() })).json.data).toMatchObject({ admitted: false, code: "key_expired" });
    expect((await ask({ method: "GET", path: "/nowhere" })).status).toBe(422);
    expect((await ask({ ip: "not an address" })).status).toBe(422);
    expect((await ask({ permission: "ai:predict", method: "GET", path: "/api/v1/chatflows" })).status).toBe(422);
    expect((await call(url, "POST", "/api/v1/decisions/what-if", { bearer: gus, body: { apiKeyId: id } })).status).toBe(404);
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).status).toBe(200);
    await revoke("uma", id);
  });

  it("one's own audit events tell what happened to one's keys", async () => {
    const { id } = await keyOf("uma");
    await revoke("uma", id);
    const events = (await call(url, "GET", "/api/v1/audit?action=key&limit=100", { bearer: uma })).json.data as { action: string; target: { id: string } }[];
    expect(events.filter(({ target }) => target.id === id).map(({ action }) => action)).toEqual(["key.revoked", "key.created"]);
    const others = (await call(url, "GET", "/api/v1/audit?limit=100", { bearer: gus })).json.data as { target: { id: string } | null }[];
    expect(others.some(({ target }) => target?.id === id)).toBe(false);
  });
});

it("a process that stops has told of its last calls", async () => {
  const { startReplica } = await import("./replica");
  const { key, id } = await keyOf("uma");
  const replica = await startReplica();
  await call(replica.url, "GET", "/api/v1/auth/me", { key });
  await replica.stop();
  await expect.poll(async () => (await call(doors.own, "GET", `/api/v1/requests?apiKeyId=${id}`, { bearer: uma })).json.data.length, { timeout: 5000 }).toBe(1);
  await revoke("uma", id);
});
