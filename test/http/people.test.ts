import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { call, control, demo, doors, eachDoor, keyOf, resetParts, revoke, signIn, tokensOf } from "./client";

let ada: { id: string; key: string };
const admin = (method: string, path: string, body?: unknown, url = doors.own) => call(url, method, `/api/admin/users${path}`, { key: ada.key, body });
const idOf = async (username: string): Promise<string> => (await admin("GET", `?q=${username}@`)).json[0].id;
const me = (how: object, url = doors.own) => call(url, "GET", "/api/v1/auth/me", how).then((answer) => answer.json?.code ?? answer.status);
const cookieFor = async (username: string) => (await signIn(username)).cookies(demo.url);
/** A sweep comes by itself; on the test's stack every other second, in production within 30 s. */
const withinHalfAMinute = { timeout: 30_000, interval: 250 };

beforeAll(async () => {
  await resetParts();
  ada = await keyOf("ada", { permissions: ["admin:users", "admin:keys"] });
});
afterEach(async () => {
  await resetParts();
  // A person who comes back should be back before the next test, whoever of the two notices first.
  await expect.poll(() => admin("POST", "/sync").then((answer) => answer.status), withinHalfAMinute).toBe(200);
});
afterAll(async () => {
  await revoke("ada", ada.id);
});

describe.each(eachDoor)("people at the $name door", ({ url }) => {
  it("are listed as bare rows, filtered, and with a limit page by page along the Link header", async () => {
    const all = await admin("GET", "", undefined, url);
    expect(all.headers.get("link")).toBeNull();
    const uma = all.json.find((row: { username: string }) => row.username === "uma");
    expect(uma).toMatchObject({ id: expect.any(String), memberId: expect.any(String), email: "uma@acme.test", role: "user", tenant: "acme", credits: expect.any(Number), is_active: true, created_at: expect.any(String), updated_at: expect.any(String) });
    const paged: string[] = [];
    for (let path = "/api/v1/admin/users?limit=2"; path; ) {
      const page = await call(url, "GET", path, { key: ada.key });
      paged.push(...page.json.map((row: { id: string }) => row.id));
      const link = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("link") ?? "")?.[1];
      path = link ? link.slice(new URL(link).origin.length) : "";
    }
    expect(paged).toEqual(all.json.map((row: { id: string }) => row.id));
    expect((await admin("GET", "?role=viewer", undefined, url)).json.map((row: { username: string }) => row.username)).toEqual(["vic"]);
    expect((await admin("GET", "?role=king", undefined, url)).status).toBe(422);
    expect((await admin("GET", `/${uma.id}/chatflows`, undefined, url)).json).toMatchObject({ user_id: uma.id, username: "uma", chatflows: expect.any(Array), total_count: expect.any(Number) });
    expect((await admin("GET", "/x/chatflows", undefined, url)).status).toBe(404);
  });

  it("are synced from Keycloak, roles and tenants with them, and one by email", async () => {
    const synced = await admin("POST", "/sync", undefined, url);
    expect(synced.json).toMatchObject({ status: "success", message: expect.any(String), timestamp: expect.any(String), statistics: { total_external_users: 6, created_users: 0, deactivated_users: 0, errors: [] } });
    await control("identity", { setRoles: { dis: ["viewer"] }, setGroups: { dis: ["/globex"] } });
    expect((await admin("POST", "/sync", undefined, url)).json.statistics.updated_users).toBeGreaterThanOrEqual(1);
    expect((await admin("GET", "?q=dis@", undefined, url)).json[0]).toMatchObject({ role: "viewer", tenant: "globex" });
    await control("identity", { reset: true });
    expect((await admin("POST", "/sync-by-email", { email: "DIS@acme.test" }, url)).json).toMatchObject({ status: "success", user: { username: "dis", role: "user", tenant: "acme" } });
    for (const [body, status] of [[{ email: "nobody@acme.test" }, 404], [{ email: "no email" }, 422], [{}, 422]] as const) expect((await admin("POST", "/sync-by-email", body, url)).status).toBe(status);
  });

  it("nobody without admin:users sees or changes any of it", async () => {
    const { access_token } = await tokensOf("uma");
    const id = await idOf("vic");
    for (const [method, path] of [["GET", ""], ["POST", "/sync"], ["POST", "/sync-by-email"], ["GET", `/${id}/chatflows`], ["POST", `/${id}/revoke`], ["PATCH", `/${id}`]] as const) {
      const answer = await call(url, method, `/api/admin/users${path}`, { bearer: access_token, body: method === "GET" ? undefined : {} });
      expect([answer.status, answer.json.permission], `${method} ${path}`).toEqual([403, "admin:users"]);
    }
  });
});

it("cutting somebody off ends their page, key, token and machine access in one call, on every door, and Keycloak's sign-in works on", async () => {
  const key = await keyOf("dis", { permissions: ["chatflows:read"] });
  const { access_token: token } = await tokensOf("dis");
  const cookie = await cookieFor("dis");
  const seen = () => Promise.all([me({ key: key.key }), me({ bearer: token }), me({ cookie }), me({ key: key.key }, doors.next), me({ cookie }, doors.next)]);
  expect(await seen()).toEqual([200, 200, 200, 200, 200]);
  const answer = await admin("POST", `/${await idOf("dis")}/revoke`);
  expect(answer.json).toMatchObject({ username: "dis", keys: expect.any(Number), grant: 1, disabled: false, is_active: true, keycloak_sessions: "not_permitted" });
  expect(answer.json.sessions).toBeGreaterThanOrEqual(1);
  expect(answer.json.tokens).toBeGreaterThanOrEqual(1);
  expect(await seen()).toEqual(["key_revoked", "invalid_credentials", "session_expired", "key_revoked", "session_expired"]);
  // A sign-in of the same second counts as older than the end.
  await expect.poll(async () => me({ cookie: await cookieFor("dis") }), withinHalfAMinute).toBe(200);
}, 90_000);

it("kept out means: no sign-in and no key, until an administrator lets them in", async () => {
  const key = await keyOf("vic", {}).catch(() => null);
  expect(key).toBeNull();
  const dis = await keyOf("dis", { permissions: ["chatflows:read"] });
  const id = await idOf("dis");
  expect((await admin("PATCH", `/${id}`, { is_active: false })).json).toMatchObject({ id, is_active: false });
  expect(await me({ key: dis.key })).toBe("owner_disabled");
  expect((await admin("POST", "/sync")).status).toBe(200);
  expect(await me({ key: dis.key })).toBe("owner_disabled");
  expect((await admin("PATCH", `/${id}`, { is_active: true })).json).toMatchObject({ is_active: true });
  expect(await me({ key: dis.key })).toBe(200);
  await revoke("dis", dis.id);
});

describe("what an administrator does in Keycloak", () => {
  it("disabling shuts out browser and key within half a minute, and enabling brings the key back", async () => {
    const key = await keyOf("dis", { permissions: ["chatflows:read"] });
    const cookie = await cookieFor("dis");
    expect([await me({ key: key.key }), await me({ cookie })]).toEqual([200, 200]);
    await control("identity", { disableUser: "dis" });
    await expect.poll(() => me({ key: key.key }), withinHalfAMinute).toBe("owner_disabled");
    await expect.poll(() => me({ cookie }), withinHalfAMinute).toBe("session_expired");
    await control("identity", { enableUser: "dis" });
    await expect.poll(() => me({ key: key.key }), withinHalfAMinute).toBe(200);
    expect(await me({ cookie })).toBe("session_expired");
    await revoke("dis", key.id);
  });

  it("a role taken away is gone from every key with the next sync", async () => {
    const key = await keyOf("dis", { permissions: ["chatflows:read", "nflow:write"] });
    const held = async () => (await call(doors.own, "GET", "/api/v1/auth/me", { key: key.key })).json.data?.permissions;
    expect(await held()).toEqual(["chatflows:read", "nflow:write"]);
    await control("identity", { setRoles: { dis: ["viewer"] } });
    await admin("POST", "/sync");
    expect(await held()).toEqual(["chatflows:read"]);
    await control("identity", { setRoles: { dis: [] } });
    await admin("POST", "/sync");
    expect(await me({ key: key.key })).toBe("insufficient_permission");
    await control("identity", { setRoles: { dis: ["user"] } });
    await admin("POST", "/sync");
    await revoke("dis", key.id);
  });

  it("who changes tenant takes no keys along, and finds them when they come back", async () => {
    const key = await keyOf("dis", { permissions: ["chatflows:read"] });
    await control("identity", { setGroups: { dis: ["/globex"] } });
    await admin("POST", "/sync");
    expect(await me({ key: key.key })).toBe("owner_disabled");
    const cookie = await cookieFor("dis");
    expect((await admin("GET", "?q=dis@")).json[0].tenant).toBe("globex");
    expect((await call(doors.own, "GET", "/api/v1/auth/api-keys", { cookie })).json.data.map((one: { id: string }) => one.id)).not.toContain(key.id);
    await control("identity", { setGroups: { dis: ["/acme"] } });
    await admin("POST", "/sync");
    expect(await me({ key: key.key })).toBe(200);
    await revoke("dis", key.id);
  });

  it("deleting shuts out browser and key within half a minute", async () => {
    await control("identity", { createUsers: { tam: ["user"] } });
    const key = await keyOf("tam", { permissions: ["chatflows:read"] });
    const cookie = await cookieFor("tam");
    expect([await me({ key: key.key }), await me({ cookie })]).toEqual([200, 200]);
    await control("identity", { deleteUser: "tam" });
    await expect.poll(() => me({ key: key.key }), withinHalfAMinute).toBe("owner_disabled");
    await expect.poll(() => me({ cookie }), withinHalfAMinute).toBe("session_expired");
    expect((await admin("GET", "?q=tam@")).json[0]).toMatchObject({ is_active: false, keycloak_state: "deleted" });
  });
});
