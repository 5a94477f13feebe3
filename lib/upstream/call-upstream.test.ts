import { createHash, randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startFlowise } from "@/dev/flowise/server";
import type { Call } from "@/dev/lib/calls";
import { startNflow } from "@/dev/nflow/server";
import { anEngine } from "@/dev/testing/engine";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Context, jobContext, type Person } from "@/lib/access";
import { storeGrant } from "@/lib/grants";
import { claimAttempt, endFailedAttempt } from "@/lib/platform/attempts";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { ownerTokenKey, ownerTokenKinds } from "@/lib/platform/owner-token-keys";
import { withRedis } from "@/lib/platform/redis";
import { verifyJwt } from "@/lib/platform/signing-keys";
import { unknownCaller } from "@/lib/sessions/audit";
import { handleOf } from "@/lib/sessions/cookie";
import { createSession } from "@/lib/sessions/create-session";
import { identityOf, rememberPerson, userRecordKey } from "@/lib/tenants";
import { callUpstream, closeUpstream, readJson, syncFlowise, upstreamFailure } from ".";

let realm: Realm;
let nflow: Awaited<ReturnType<typeof startNflow>>;
let flowise: Awaited<ReturnType<typeof startFlowise>>;
let uma: Person;

beforeAll(async () => {
  realm = await aRealm();
  nflow = await startNflow({ issuer: realm.issuer });
  flowise = await startFlowise({ serviceKey: env().FLOWISE_API_KEY ?? "", issuer: realm.issuer });
  const tokens = await realm.tokensFor("uma", "machine");
  uma = (await rememberPerson(identityOf(await verifyKeycloakToken(tokens.accessToken)))).person;
  await storeGrant({ userId: uma.userId, tenantId: uma.tenantId, issuer: uma.issuer, sub: uma.sub, client: "machine", refreshToken: tokens.refreshToken ?? "", refreshExpiresAt: tokens.refreshExpiresAt, kcSid: null });
});
beforeEach(async () => {
  setEnv({ ...env(), NFLOW_API_URL: nflow.url, FLOWISE_URL: flowise.url, FLOWISE_AUTH: "user-token", UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 5000, UPSTREAM_TOTAL_TIMEOUT_MS: 300_000 });
  for (const engine of [nflow, flowise]) {
    await fetch(`${engine.origin}/__calls`, { method: "DELETE" });
    await order(engine, { reset: true });
  }
  await realm.forgetCalls();
});
afterEach(() => resetClock());
afterAll(async () => {
  await closeUpstream();
  await Promise.all([nflow.close(), flowise.close(), realm.close()]);
});

const order = (engine: { origin: string }, wish: object) => fetch(`${engine.origin}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
const callsOf = async (engine: { origin: string }) => (await (await fetch(`${engine.origin}/__calls`)).json()) as Call[];
const tokenIn = (call: Call | undefined) => decodeJwt(String(call?.headers.authorization).replace("Bearer ", ""));
const withKey = () => contextOf(uma, { apiKeyId: "0198f0aa-0000-7000-8000-000000000001" });
const search = { engine: "nflow", method: "POST", template: "/builder/apps/search", body: {} } as const;
const create = (name: string) => ({ engine: "nflow", method: "POST", template: "/builder/apps", body: { name, displayName: "An app" } }) as const;
/** NFlow's address for one test. */
const nflowAt = (url: string, more: Partial<ReturnType<typeof env>> = {}) => setEnv({ ...env(), NFLOW_API_URL: url, ...more });

describe("whose token goes upstream", () => {
  it("a key's call carries its owner's token, good at that engine alone", async () => {
    await callUpstream(withKey(), search);
    await callUpstream(withKey(), { engine: "flowise", method: "PUT", template: "/api/v1/chatmessage/abort/:id/:chatId", names: { id: "a", chatId: "b" } });
    const [atNflow] = await callsOf(nflow);
    const [atFlowise] = await callsOf(flowise);
    expect(tokenIn(atNflow)).toMatchObject({ sub: uma.sub, aud: "nflow", azp: "sluice-machine" });
    expect(tokenIn(atFlowise)).toMatchObject({ sub: uma.sub, aud: "flowise", azp: "sluice-machine" });
  });

  it("a session's call carries the session's own token", async () => {
    const envelope = await createSession(await realm.tokensFor("uma"), unknownCaller());
    const answer = await callUpstream(contextOf(uma, { credential: { kind: "session", session: handleOf(envelope) } }), search);
    expect(answer.status).toBe(200);
    expect(tokenIn((await callsOf(nflow))[0])).toMatchObject({ sub: uma.sub, aud: "nflow", azp: "sluice-web" });
  });

  it("a Keycloak token that the caller brings is narrowed, and never refreshed", async () => {
    const { accessToken, expiresAt } = await realm.tokensFor("uma");
    const ctx = contextOf(uma, { credential: { kind: "keycloak", token: accessToken, expiresAt } });
    expect((await callUpstream(ctx, search)).status).toBe(200);
    const [call] = await callsOf(nflow);
    expect(tokenIn(call)).toMatchObject({ sub: uma.sub, aud: "nflow" });
    expect(call?.headers.authorization).not.toContain(accessToken);
    await order(nflow, { unauthorizedNext: 1 });
    await expect(callUpstream(ctx, search)).rejects.toMatchObject({ code: "upstream_unauthorised" });
    expect(await callsOf(nflow)).toHaveLength(2);
    expect(await realm.calls("refresh_token")).toBe(0);
  });

  it("one that cannot be narrowed is upstream_forbidden, and nothing is sent", async () => {
    const ctx = contextOf(uma, { credential: { kind: "keycloak", token: "eyJhbGciOiJSUzI1NiJ9.e30.x", expiresAt: Date.now() + 60_000 } });
    await expect(callUpstream(ctx, search)).rejects.toMatchObject({ code: "upstream_forbidden" });
    expect(await callsOf(nflow)).toHaveLength(0);
  });

  it("an owner who gave no machine access is told so, and nothing is sent", async () => {
    const stranger = await aPerson();
    await expect(callUpstream(contextOf(stranger, { apiKeyId: "0198f0aa-0000-7000-8000-000000000002" }), search)).rejects.toMatchObject({ code: "owner_reauth_required" });
    expect(await callsOf(nflow)).toHaveLength(0);
  });

  it("with FLOWISE_AUTH=service-key Flowise gets the operator's key, for owners without a grant too, but not for disabled ones", async () => {
    setEnv({ ...env(), FLOWISE_AUTH: "service-key" });
    const owner = await aPerson();
    const ctx = contextOf(owner, { apiKeyId: "0198f0aa-0000-7000-8000-000000000003" });
    const abort = { engine: "flowise", method: "PUT", template: "/api/v1/chatmessage/abort/:id/:chatId", names: { id: "a", chatId: "b" } } as const;
    expect((await callUpstream(ctx, abort)).status).toBe(200);
    expect((await callsOf(flowise))[0]?.headers.authorization).toBe(`Bearer ${env().FLOWISE_API_KEY}`);
    await db().user.update({ where: { id: owner.userId }, data: { isActive: false } });
    await withRedis((client) => client.del(userRecordKey(owner.userId)));
    await expect(callUpstream(ctx, abort)).rejects.toMatchObject({ code: "owner_disabled" });
    expect(await callsOf(flowise)).toHaveLength(1);
  });

  it("where no person acts Flowise is read with the operator's key, and NFlow not at all", async () => {
    const job = jobContext("test", "r");
    expect((await syncFlowise(job, "/api/v1/chatflows")).status).toBe(200);
    expect((await callsOf(flowise))[0]?.headers.authorization).toBe(`Bearer ${env().FLOWISE_API_KEY}`);
    await expect(callUpstream(job, search)).rejects.toMatchObject({ code: "upstream_forbidden" });
  });

  it("says beside the token who it is for, bound to engine, body and a minute", async () => {
    await callUpstream(withKey(), create("identity_app"));
    const [call] = await callsOf(nflow);
    const claims = await verifyJwt(String(call?.headers["x-sluice-identity"]), { typ: "sluice-identity+jwt", audience: "nflow" });
    expect(claims).toMatchObject({ sub: uma.sub, tenant: uma.tenant, email: uma.email, role: "user", key_id: "0198f0aa-0000-7000-8000-000000000001" });
    expect(claims.body_sha256).toBe(createHash("sha256").update(JSON.stringify(create("identity_app").body)).digest("hex"));
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeLessThanOrEqual(60);
    await expect(verifyJwt(String(call?.headers["x-sluice-identity"]), { typ: "sluice-identity+jwt", audience: "flowise" })).rejects.toMatchObject({ code: "invalid_credentials" });
  });

  it("sends the headers that we make, and no other", async () => {
    await callUpstream(withKey(), search);
    await callUpstream(withKey(), { engine: "flowise", method: "PUT", template: "/api/v1/chatmessage/abort/:id/:chatId", names: { id: "a", chatId: "b" } });
    const ours = ["accept", "authorization", "connection", "content-length", "content-type", "host", "idempotency-key", "x-request-id", "x-sluice-identity"];
    expect(Object.keys((await callsOf(nflow))[0]?.headers ?? {}).sort()).toEqual(ours);
    const [toFlowise] = await callsOf(flowise);
    expect(toFlowise?.headers["x-forwarded-for"]).toBe("127.0.0.1");
  });
});

describe("a role that changes in Keycloak", () => {
  const forgetTokens = () => withRedis((client) => client.del(ownerTokenKinds.map((kind) => ownerTokenKey(uma.userId, kind))));
  const callNflow = async () => (await callUpstream(withKey(), { ...search, needs: "nflow:read" })).body.resume();
  afterEach(async () => {
    await realm.control({ reset: true });
    await forgetTokens();
    await callNflow();
  });

  it("refuses the very call that learned of its loss, names the permission, and never reaches the engine", async () => {
    await realm.control({ setRoles: { uma: [] } });
    await forgetTokens();
    await expect(callNflow()).rejects.toMatchObject({ code: "insufficient_permission", options: { extra: { permission: "nflow:read" } } });
    expect(await callsOf(nflow)).toEqual([]);
  });

  it("reaches the engine with the next call once it is known here, though the cached token has time left", async () => {
    await callNflow();
    const before = await realm.calls("refresh_token");
    await callNflow();
    expect(await realm.calls("refresh_token")).toBe(before);
    const claims = identityOf(await verifyKeycloakToken((await realm.tokensFor("uma", "machine")).accessToken));
    await rememberPerson({ ...claims, role: "viewer" });
    await callNflow();
    expect(await realm.calls("refresh_token")).toBe(before + 1);
  });
});

describe("an engine that refuses the token", () => {
  it("makes one forced refresh and one retry with the same idempotency key", async () => {
    await callUpstream(withKey(), search);
    moveClock(6000);
    await realm.forgetCalls();
    await order(nflow, { unauthorizedNext: 1 });
    expect((await callUpstream(withKey(), create("retried_app"))).status).toBe(201);
    const [, first, second, ...more] = await callsOf(nflow);
    expect(more).toEqual([]);
    expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
    expect(second?.headers.authorization).not.toBe(first?.headers.authorization);
    expect(await realm.calls("refresh_token")).toBe(1);
  });

  it("a second 401 ends it: two calls, and upstream_unauthorised", async () => {
    moveClock(12_000);
    await order(nflow, { unauthorizedNext: 5 });
    const work: boolean[] = [];
    await expect(callUpstream(withKey(), { ...search, onWork: (may) => work.push(may) })).rejects.toMatchObject({ code: "upstream_unauthorised" });
    expect(await callsOf(nflow)).toHaveLength(2);
    // A caller who leaves after a 401 pays nothing.
    expect(work).toEqual([true, false, true, false]);
  });
});

describe("an engine that fails", () => {
  it("is not asked again after a 5xx, and its Retry-After reaches the caller", async () => {
    await order(nflow, { failNext: { status: 503, times: 1, retryAfter: 7 } });
    const answer = await callUpstream(withKey(), search);
    expect(await upstreamFailure(answer)).toMatchObject({ code: "upstream_error", options: { retryAfterSeconds: 7, extra: { refId: expect.any(String), upstreamErrors: ["INJECTED"] } } });
    expect(await callsOf(nflow)).toHaveLength(1);
  });

  it.each([[400, "bad_request"], [404, "not_found"], [409, "conflict"], [422, "validation_failed"], [412, "upstream_action_required"], [403, "upstream_forbidden"], [429, "upstream_error"], [500, "upstream_error"]])("%i is %s", async (status, code) => {
    await order(nflow, { failNext: { status, times: 1, body: { refId: "ref-1", errors: ["SAID", { code: "ACTION_REQUIRED", trace: { secret: true } }] } } });
    expect(await upstreamFailure(await callUpstream(withKey(), search))).toMatchObject({ code, options: { extra: { refId: "ref-1", upstreamErrors: ["SAID", { code: "ACTION_REQUIRED" }] } } });
  });

  it("a page, nothing, or a list where an error should be is an error in our words", async () => {
    for (const body of ["<html>", "", "[1,2]", '{"errors":"x"}']) {
      const engine = await anEngine((_req, res) => void res.writeHead(500).end(body));
      nflowAt(engine.url);
      expect(await upstreamFailure(await callUpstream(withKey(), search))).toMatchObject({ code: "upstream_error" });
      await engine.close();
    }
  });

  it("silence is upstream_timeout after the first-byte deadline, and is not asked again", async () => {
    const engine = await anEngine(() => undefined);
    nflowAt(engine.url, { UPSTREAM_FIRST_BYTE_TIMEOUT_MS: 150 });
    await expect(callUpstream(withKey(), { engine: "nflow", method: "GET", template: "/me" })).rejects.toMatchObject({ code: "upstream_timeout" });
    expect(engine.received).toHaveLength(1);
    await engine.close();
  });

  it("an answer that never ends is upstream_timeout after the total deadline", async () => {
    const engine = await anEngine((_req, res) => void setInterval(() => res.write(" "), 20).unref());
    nflowAt(engine.url, { UPSTREAM_TOTAL_TIMEOUT_MS: 250 });
    await expect(callUpstream(withKey(), search).then((answer) => readJson(answer))).rejects.toMatchObject({ code: "upstream_timeout" });
    expect(await engine.received[0]?.over).toBe("left");
    await engine.close();
  });

  it("nobody there is upstream_error", async () => {
    const engine = await anEngine(() => undefined);
    await engine.close();
    nflowAt(engine.url);
    await expect(callUpstream(withKey(), search)).rejects.toMatchObject({ code: "upstream_error" });
  });

  it("a connection that breaks is asked again only for what changes nothing", async () => {
    const engine = await anEngine((req, res, count) => (count === 1 || req.url?.endsWith("/apps") ? void req.socket.destroy() : void res.end("{}")));
    nflowAt(engine.url);
    expect((await callUpstream(withKey(), search)).status).toBe(200);
    expect(engine.received).toHaveLength(2);
    await expect(callUpstream(withKey(), create("once"))).rejects.toMatchObject({ code: "upstream_error" });
    expect(engine.received).toHaveLength(3);
    await engine.close();
  });

  it("an answer that breaks off half way is upstream_error, and harmless when nobody reads it", async () => {
    const engine = await anEngine((_req, res) => {
      res.writeHead(200, { "content-length": "1000" });
      res.write("{");
      setTimeout(() => res.destroy(), 30);
    });
    nflowAt(engine.url);
    await expect(callUpstream(withKey(), search).then((answer) => readJson(answer))).rejects.toMatchObject({ code: "upstream_error" });
    for (const letGo of ["resume", "destroy"] as const) {
      const { body } = await callUpstream(withKey(), search);
      body[letGo]();
      await new Promise((done) => body.once("close", done));
    }
    await engine.close();
  });

  it("a whole answer that nobody wants is harmless", async () => {
    const { body } = await callUpstream(withKey(), search);
    await new Promise((r) => setTimeout(r, 30));
    body.destroy();
    await new Promise((done) => body.once("close", done));
  });

  it("an answer that would fill the memory is cut", async () => {
    const engine = await anEngine((_req, res) => void res.end(Buffer.alloc(200_000, "x")));
    nflowAt(engine.url);
    await expect(callUpstream(withKey(), search).then((answer) => readJson(answer, 100_000))).rejects.toMatchObject({ code: "upstream_error" });
    await engine.close();
  });
});

describe("the name of an attempt", () => {
  /** Whether it is kept, so that the same name cannot be tried again, after a call that fails. */
  async function isKeptAfter(ctx: Context): Promise<boolean> {
    const claimed = await claimAttempt({ tenantId: ctx.tenantId, owner: "user:x", key: randomUUID(), fingerprint: "f" });
    if (claimed.kind !== "mine") throw new Error("not ours");
    await expect(callUpstream({ ...ctx, attempt: claimed.attempt }, create("named"))).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_|^identity_/) });
    const { effectAt } = await db().idempotencyRecord.findFirstOrThrow({ where: { attempt: claimed.attempt } });
    await endFailedAttempt(claimed.attempt);
    return effectAt !== null;
  }

  it("is free again when NFlow was never reached, or answered 401 last", async () => {
    const gone = await anEngine(() => undefined);
    await gone.close();
    nflowAt(gone.url);
    expect(await isKeptAfter(withKey()), "nobody there").toBe(false);
    const { accessToken, expiresAt } = await realm.tokensFor("uma");
    const broughtAlong = contextOf(uma, { credential: { kind: "keycloak", token: accessToken, expiresAt } });
    const refusing = await anEngine((_req, res) => void res.writeHead(401).end());
    nflowAt(refusing.url);
    expect(await isKeptAfter(broughtAlong), "refused, and no refresh is possible").toBe(false);
    moveClock(18_000);
    expect(await isKeptAfter(withKey()), "refused twice").toBe(false);
    expect(refusing.received).toHaveLength(3);
    await refusing.close();
  });

  it("is kept when NFlow may be at work on it, also behind a 401", async () => {
    for (const refusals of [0, 1]) {
      const engine = await anEngine((req, res, count) => (count > refusals ? void req.socket.destroy() : void res.writeHead(401).end()));
      nflowAt(engine.url);
      moveClock(30_000 + refusals * 6000);
      expect(await isKeptAfter(withKey()), `after ${refusals}`).toBe(true);
      expect(engine.received).toHaveLength(refusals + 1);
      await engine.close();
    }
  });
});

describe("a caller who leaves", () => {
  it("ends the call at the engine, before and after its first byte", async () => {
    const engine = await anEngine((_req, res, count) => {
      if (count === 2) res.write("{");
    });
    nflowAt(engine.url);
    const waiting = new AbortController();
    const before = callUpstream(withKey(), { ...search, signal: waiting.signal });
    while (engine.received.length < 1) await new Promise((r) => setTimeout(r, 5));
    waiting.abort();
    await expect(before).rejects.toThrow();
    expect(await engine.received[0]?.over).toBe("left");

    const reading = new AbortController();
    const answer = await callUpstream(withKey(), { ...search, signal: reading.signal });
    const read = readJson(answer);
    reading.abort();
    await expect(read).rejects.toThrow();
    expect(await engine.received[1]?.over).toBe("left");
    await engine.close();
  });

  it("before a connection took the request, the engine had nothing", async () => {
    const gone = new AbortController();
    gone.abort();
    let isAtWork = false;
    await expect(callUpstream(withKey(), { ...search, signal: gone.signal, onWork: (may) => { isAtWork = may; } })).rejects.toThrow();
    expect(isAtWork).toBe(false);
    await callUpstream(withKey(), { ...search, onWork: (may) => { isAtWork = may; } });
    expect(isAtWork).toBe(true);
  });
});

describe("paths", () => {
  it("only listed ones are forwarded, and names cannot leave their segment", async () => {
    await expect(callUpstream(withKey(), { engine: "flowise", method: "GET", template: "/api/v1/credentials" })).rejects.toThrow(/not forwarded/);
    await expect(callUpstream(withKey(), { engine: "flowise", method: "POST", template: "/api/v1/chatflows" })).rejects.toThrow(/not forwarded/);
    await callUpstream(withKey(), { engine: "nflow", method: "GET", template: "/builder/apps/:name", names: { name: "a/../../me?x=1#y" } });
    expect((await callsOf(nflow))[0]?.path).toBe("/v1/builder/apps/a%2F..%2F..%2Fme%3Fx%3D1%23y");
    for (const name of ["", ".", ".."]) await expect(callUpstream(withKey(), { engine: "nflow", method: "GET", template: "/builder/apps/:name", names: { name } })).rejects.toThrow(/cannot stand/);
  });
});
