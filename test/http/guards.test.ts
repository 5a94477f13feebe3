import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeInventory } from "../../dev/testing/inventory";
import { openActions, openPages } from "../../dev/testing/open-doors";
import { type Browser, call, demo, doors, keyOf, revoke, signIn, tokensOf } from "./client";
import { actionRows, adminPages, bodies, type Theirs } from "./guards.fixture";
import { type NakedPages, startWithoutMiddleware } from "./without-middleware";

/** What can be reached, by its source and by what was built of it. */
const { pages, actions } = takeInventory(process.cwd());
const closedPages = pages.filter(({ path }) => !openPages.includes(path)).map(({ path }) => path);
type Manifest = { node: Record<string, { workers: Record<string, unknown>; filename: string; exportedName: string }> };
const built = Object.entries((JSON.parse(readFileSync(".next/server/server-reference-manifest.json", "utf8")) as Manifest).node)
  .map(([id, { workers, exportedName }]) => ({ id, name: exportedName, path: pagePath(Object.keys(workers)[0] ?? "") }));
const closedActions = built.filter(({ name }) => !openActions.includes(name));

function pagePath(worker: string): string {
  return `/${worker.replace(/^app\//, "").split("/").filter((part) => !part.startsWith("(") && part !== "page").join("/")}`;
}

const filled = (path: string, id: string = randomUUID()) => path.replace(/\[[^\]]+\]/g, id);

/** A direct POST of an action, as a page would send it, or a forger. @returns the code of the problem that it answers, null when it has done it. */
async function post(base: string, action: { id: string; path: string }, input: unknown, sent: { cookie?: string; origin?: string; "x-request-id"?: string }): Promise<string | null> {
  const answer = await fetch(base + filled(action.path), {
    method: "POST", redirect: "manual", body: JSON.stringify([input]),
    // Next.js alone believes whoever names a host, as behind a proxy: what it lets pass then, ours must refuse.
    headers: { "next-action": action.id, "content-type": "text/plain;charset=UTF-8", accept: "text/x-component", "x-forwarded-host": new URL(demo.url).host, ...sent },
  });
  const text = await answer.text();
  // The door says so as a problem, the action in Next.js's own form.
  const isProblem = answer.headers.get("content-type") === "application/problem+json";
  const code = isProblem ? (JSON.parse(text) as { code: string }).code : /"ok":false,"problem":\{[^}]*?"code":"(\w+)"/.exec(text)?.[1];
  if (code) return code;
  if (/"ok":true/.test(text)) return null;
  return `${answer.status} ${answer.headers.get("location") ?? ""}`.trim();
}

/** A call of hers that a list of requests shows. */
const umaCalls = async () => (await call(doors.own, "GET", "/api/v1/auth/me", { key: umasKey, headers: { "x-request-id": theirs.requestId } })).json.data as { id: string; tenantId: string };

let naked: NakedPages;
const theirs: Theirs = { keyId: "", userId: "", tenantId: "", chatflowId: "", requestId: "guards-of-uma", familyId: "" };
let token = "";
let umasKey = "";
const secretName = `uma's own ${Date.now()}`;
const people = {} as Record<"uma" | "vic" | "gus" | "ada", Browser>;
const cookieOf = (name: keyof typeof people) => people[name].cookies(demo.url);

beforeAll(async () => {
  naked = await startWithoutMiddleware();
  for (const name of ["uma", "vic", "gus", "ada"] as const) people[name] = await signIn(name);
  const { id, key } = await keyOf("uma", { name: secretName });
  umasKey = key;
  const me = await umaCalls();
  token = (await tokensOf("uma")).access_token;
  // One that the viewer has as well, and may run.
  const flowsOf = async (options: Parameters<typeof call>[3]) => ((await call(doors.own, "GET", "/api/v1/chatflows", options)).json as { id: string }[]).map((flow) => flow.id);
  const ofViewer = await flowsOf({ cookie: cookieOf("vic") });
  const chatflowId = (await flowsOf({ key })).find((flow) => ofViewer.includes(flow));
  Object.assign(theirs, { keyId: id, userId: me.id, tenantId: me.tenantId, chatflowId, familyId: decodeJwt(token).fam });
  expect(Object.values(theirs).every(Boolean)).toBe(true);
}, 120_000);
afterAll(async () => {
  await revoke("uma", theirs.keyId);
  await naked?.stop();
});

it("what was built is what the source says, and every action has its row", () => {
  expect(built.map(({ name }) => name).sort()).toEqual(actions.map(({ name }) => name).sort());
  expect(Object.keys(actionRows).sort()).toEqual(closedActions.map(({ name }) => name).sort());
});

/** Middleware removed: all the same. */
const hosts = () => [{ host: "our door", base: doors.own }, { host: "Next.js alone", base: doors.next }, { host: "without middleware", base: naked.url }];

describe("somebody who is not signed in", () => {
  it.each(closedPages)("is sent to sign in by %s, and is shown nothing", async (path) => {
    for (const { host, base } of hosts()) {
      const answer = await call(base, "GET", filled(path, theirs.keyId));
      expect([answer.status, answer.headers.get("location")], host).toEqual([307, expect.stringContaining("/sign-in?returnTo=")]);
      for (const data of [secretName, "uma@acme.test", "Acme"]) expect(answer.text, host).not.toContain(data);
    }
  });

  it.each(closedActions.map(({ name, ...action }) => [name, action] as const))("cannot run %s by a direct POST, with our origin, another's or none", async (name, action) => {
    const input = actionRows[name]?.input(theirs);
    for (const { host, base } of hosts()) {
      expect(await post(base, action, input, { origin: demo.url }), host).toBe("session_expired");
      expect(await post(base, action, input, {}), `${host}, no origin`).toBe("cross_origin");
      // Without our door Next.js refuses this one itself, with an error that tells nothing.
      expect(await post(base, action, input, { origin: "https://evil.test" }), `${host}, foreign origin`).toMatch(base === doors.own ? /^cross_origin$/ : /^(cross_origin|500)$/);
    }
  });
});

describe("a session from a foreign page", () => {
  it.each(closedActions.map(({ name, ...action }) => [name, action] as const))("%s is refused without our Origin", async (name, action) => {
    expect(await post(doors.own, action, actionRows[name]?.input(theirs), { cookie: cookieOf("uma") })).toBe("cross_origin");
  });
});

describe("a viewer", () => {
  it.each(closedActions.map(({ name, ...action }) => [name, action] as const))("%s changes nothing for them", async (name, action) => {
    const row = actionRows[name];
    expect(await post(doors.own, action, row?.input(theirs), { cookie: cookieOf("vic"), origin: demo.url })).toBe(row?.viewer);
  });

  it.each(closedPages.filter((path) => path.startsWith("/admin")))("%s shows them nothing of what it shows an administrator", async (path) => {
    await umaCalls();
    const sample = adminPages[path]?.({ ...theirs, keyName: secretName }) ?? "no row";
    const address = filled(path, path.startsWith("/admin/keys") ? theirs.keyId : theirs.userId);
    const seenBy = async (base: string, name: "vic" | "ada") => (await call(base, "GET", address, { cookie: cookieOf(name) })).text;
    // A call is in the list a moment after its answer.
    await expect.poll(() => seenBy(doors.own, "ada")).toContain(sample);
    for (const { host, base } of hosts()) {
      const text = await seenBy(base, "vic");
      // What they asked for by its id they know already, and their own address stands in the page.
      for (const data of [sample, secretName, "uma@acme.test", "globex", theirs.keyId, theirs.requestId].filter((one) => !address.includes(one))) expect(text, host).not.toContain(data);
      expect(text, host).toContain("NEXT_HTTP_ERROR_FALLBACK;404");
    }
  });
});

it("what an action refused, or did, is in the log of whoever asked, and the refusal is told to them alone", async () => {
  const run = async (name: string, requestId: string) => post(doors.own, closedActions.find((one) => one.name === name)!, actionRows[name]?.input(theirs), { cookie: cookieOf("vic"), origin: demo.url, "x-request-id": requestId });
  const [refused, done] = [randomUUID(), randomUUID()];
  expect([await run("updateKeyAction", refused), await run("runChatflowAction", done)]).toEqual(["insufficient_permission", null]);
  const ask = (path: string, name: "vic" | "gus") => call(doors.own, "GET", path, { cookie: cookieOf(name) });
  await expect.poll(async () => (await ask(`/api/v1/decisions/${refused}`, "vic")).json.data, { timeout: 10_000 }).toMatchObject({ requestId: refused, code: "insufficient_permission", check: "permission", limit: expect.any(String) });
  expect((await ask(`/api/v1/decisions/${refused}`, "gus")).json.code).toBe("not_found");
  for (const [requestId, route, status] of [[refused, "portal/updateKey", 403], [done, "portal/runChatflow", 200]] as const) {
    await expect.poll(async () => (await ask(`/api/v1/requests?requestId=${requestId}`, "vic")).json.data, { timeout: 20_000 }).toMatchObject([{ requestId, method: "POST", route, status, portal: true }]);
    expect((await ask("/api/v1/requests?limit=100", "vic")).json.data.filter((one: { requestId: string }) => one.requestId === requestId)).toEqual([]);
    expect((await ask(`/api/v1/requests?requestId=${requestId}`, "gus")).json.data).toEqual([]);
  }
});

describe("a user of another tenant", () => {
  it.each(closedActions.map(({ name, ...action }) => [name, action] as const))("%s does not reach what is not theirs", async (name, action) => {
    const row = actionRows[name];
    const code = await post(doors.own, action, row?.input(theirs), { cookie: cookieOf("gus"), origin: demo.url });
    if (row?.stranger === "own") expect(["session_expired", "insufficient_permission", "cross_origin", "internal_error"]).not.toContain(code);
    else expect(code).toBe(row?.stranger);
  });

  it.each(closedPages)("%s shows them nothing of uma's", async (path) => {
    for (const id of [theirs.keyId, theirs.requestId, theirs.userId, theirs.chatflowId]) {
      const { text } = await call(doors.own, "GET", filled(path, id), { cookie: cookieOf("gus") });
      expect(text).not.toContain(secretName);
      expect(text).not.toContain("uma@acme.test");
      if (!path.includes("[")) break;
    }
  });

  it("after all of it uma's key is as it was, and her token good", async () => {
    const own = await call(doors.own, "GET", `/api/v1/auth/api-keys/${theirs.keyId}`, { bearer: token });
    expect(own.status).toBe(200);
    expect(own.json.data).toMatchObject({ name: secretName, isActive: true, status: "active", rotation: null });
  });
});

type Operation = { security?: unknown[]; "x-permission"?: string };
const operations = async () => Object.entries((await call(doors.own, "GET", "/api/openapi.json")).json.paths as Record<string, Record<string, Operation>>)
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, operation })));
const withIds = (path: string, ids: Theirs) => path.replace(/\{(\w+)\}/g, (_, name: string) => (/flow/i.test(name) || path.includes("/chatflows/{") || path.includes("prediction") ? ids.chatflowId : /request/i.test(name) ? ids.requestId : /user/i.test(name) || path.includes("/users/{") ? ids.userId : path.includes("/tenants/") ? ids.tenantId : ids.keyId));

describe("every route of the API", () => {
  it("refuses who brings nothing, at each door and without middleware", async () => {
    const closed = (await operations()).filter(({ operation }) => operation.security?.length !== 0);
    expect(closed.length).toBeGreaterThan(40);
    for (const { host, base } of hosts()) {
      for (const { name, method, path } of closed) {
        const answer = await call(base, method, withIds(path, theirs), { ...(method !== "GET" && { body: {} }) });
        expect([answer.status, answer.json?.code], `${name}, ${host}`).toEqual([401, "missing_credentials"]);
      }
    }
  }, 120_000);

  it("gives a user of another tenant nothing of uma's, whichever of her ids they name: it is not there, or for administrators alone", async () => {
    const { id, key } = await keyOf("gus", { name: "guards", permissions: ["read", "write", "api-keys:manage"] });
    for (const { host, base } of hosts()) {
      for (const { name, method, path, operation } of (await operations()).filter(({ path, operation }) => path.includes("{") && operation.security?.length !== 0)) {
        const body = bodies[name.replace("/api/v1/admin/", "/api/admin/")];
        const answer = await call(base, method, withIds(path, theirs), { key, ...(body !== undefined && { body }) });
        expect([answer.status, answer.json?.code], `${name}, ${host}`).toEqual(operation["x-permission"]?.startsWith("admin:") ? [403, "insufficient_permission"] : [404, "not_found"]);
        expect(answer.text, name).not.toContain(secretName);
      }
    }
    await revoke("gus", id);
  }, 120_000);
});
