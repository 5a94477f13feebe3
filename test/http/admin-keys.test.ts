import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, control, demo, doors, eachDoor, keyOf, revoke, sha256, signIn, tokensOf } from "./client";
import { startReplica } from "./replica";

let ada: { id: string; key: string };
let uma: { id: string; tenantId: string };
const sql = new pg.Pool({ connectionString: demo.databaseUrl, max: 2 });
const adminToken = demo.adminToken;

beforeAll(async () => {
  ada = await keyOf("ada", { permissions: ["*"] });
  [uma] = (await sql.query(`SELECT id, "tenantId" FROM "User" WHERE username = 'uma'`)).rows;
});
afterAll(async () => {
  await control("identity", { reset: true });
  await sql.query(`UPDATE "ApiKey" SET "revokedAt" = now(), version = version + 1 WHERE name LIKE 'by admin %'`);
  await revoke("ada", ada.id);
  await sql.end();
});

const name = () => `by admin ${randomUUID()}`;
const admin = (url: string, method: string, path: string, body?: unknown) => call(url, method, `/api/admin/api-keys${path}`, { key: ada.key, body });
const me = (url: string, key: string) => call(url, "GET", "/api/v1/auth/me", { key });

describe.each(eachDoor)("the bootstrap token at the $name door", ({ url }) => {
  it("makes a tenant and its first key, for somebody whom only Keycloak knows, and no second; each use is in the audit log", async () => {
    const slug = `b-${randomUUID().slice(0, 8)}`;
    // As if nel had never been here: the row that is theirs becomes somebody else's.
    await sql.query(`UPDATE "User" SET sub = id::text, username = 'nel-' || id WHERE username = 'nel'`);
    await control("identity", { setGroups: { nel: [`/${slug}`] }, setRoles: { nel: ["admin"] } });
    const tenant = await call(url, "POST", "/api/admin/tenants", { bearer: adminToken, body: { slug } });
    expect([tenant.status, tenant.json.data.slug]).toEqual([201, slug]);
    const body = { tenant: slug, user: "nel", name: name(), permissions: ["*"] };
    const made = await call(url, "POST", "/api/v1/admin/api-keys", { bearer: adminToken, body });
    expect([made.status, made.json.data]).toEqual([201, expect.objectContaining({ grant: "missing", tenantId: tenant.json.data.id, permissions: ["*"], createdBy: { type: "bootstrap", id: null } })]);
    expect(made.json.message).toContain("not be shown again");
    expect((await me(url, made.json.data.key)).json.data).toMatchObject({ role: "admin", tenantId: tenant.json.data.id, actor: "apiKey" });
    const second = await call(url, "POST", "/api/admin/api-keys", { bearer: adminToken, body });
    expect([second.status, second.json.code]).toEqual([409, "conflict"]);

    const events = (await sql.query(`SELECT chain, action, data FROM "AuditEvent" WHERE "actorType" = 'bootstrap' ORDER BY "writeOrder" DESC LIMIT 5`)).rows;
    expect(events.map((e) => [e.chain, e.action])).toEqual([["system", "bootstrap.used"], [tenant.json.data.id, "key.created"], ["system", "bootstrap.used"], [tenant.json.data.id, "tenant.created"], ["system", "bootstrap.used"]]);
    expect(events[0].data).toEqual({ method: "POST", path: "/api/admin/api-keys" });
    expect(JSON.stringify(events)).not.toContain(adminToken);

    // An administrator sees who came in by that door, and what they made.
    const shown = (await (await signIn("ada")).go(`${demo.url}/admin/keys`)).text;
    const uses = shown.slice(shown.indexOf('id="bootstrap-uses"'));
    for (const words of ["POST /api/admin/tenants", "POST /api/v1/admin/api-keys", slug, body.name]) expect(uses).toContain(words);
    expect(shown).not.toContain(adminToken);
  });

  it("opens nothing else, comes as a bearer only, and a wrong one is a failed authentication", async () => {
    expect((await call(url, "GET", "/api/admin/tenants", { bearer: adminToken })).status).toBe(200);
    const listing = await call(url, "GET", "/api/admin/api-keys", { bearer: adminToken });
    expect([listing.status, listing.json.permission]).toEqual([403, "admin:keys"]);
    for (const [method, path] of [["GET", "/api/v1/auth/me"], ["POST", "/api/v1/auth/api-keys"], ["GET", "/api/admin/plans"], ["POST", "/api/admin/api-keys/import"], ["POST", "/api/admin/chatflows/sync"], ["GET", `/api/admin/tenants/${uma.tenantId}`]] as const) {
      const answer = await call(url, method, path, { bearer: adminToken, body: method === "POST" ? {} : undefined });
      expect([answer.status, answer.json.code], path).toEqual([401, "invalid_credentials"]);
    }
    expect((await call(url, "GET", "/api/admin/tenants", { key: adminToken })).status).toBe(401);
    expect((await call(url, "GET", "/api/admin/tenants", { key: adminToken, bearer: adminToken })).status).toBe(401);
    for (const wrong of [`${adminToken}x`, adminToken.slice(1), "x"]) expect((await call(url, "GET", "/api/admin/tenants", { bearer: wrong })).json.code).toBe("invalid_credentials");
  });

  it("a key for somebody else: known or not, never more than its maker holds, and its owner's role bounds it", async () => {
    const made = await admin(url, "POST", "", { tenant: "acme", user: "uma@acme.test", name: name(), permissions: ["read", "admin:users"] });
    expect([made.status, made.json.data.userId]).toEqual([201, uma.id]);
    const seen = (await me(url, made.json.data.key)).json.data;
    expect([seen.permissions.includes("admin:users"), seen.permissions.includes("nflow:read")]).toEqual([false, true]);
    const narrow = await keyOf("ada", { permissions: ["admin:keys", "chatflows:read"] });
    const wider = await call(url, "POST", "/api/admin/api-keys", { key: narrow.key, body: { tenant: "acme", user: "uma", name: name(), permissions: ["ai:predict"] } });
    expect([wider.status, wider.json.code]).toEqual([403, "permission_escalation"]);
    await revoke("ada", narrow.id);
    for (const [tenant, user] of [["acme", "nobody"], ["acme", "gus"], ["globex", "uma"], ["no-such-tenant", "uma"]]) expect((await admin(url, "POST", "", { tenant, user, name: name() })).status, `${tenant}/${user}`).toBe(404);
    const viewer = await admin(url, "POST", "", { tenant: "acme", user: "vic", name: name(), permissions: ["write"] });
    expect((await me(url, viewer.json.data.key)).json.data.permissions).not.toContain("nflow:write");
  });

  it("keys of any tenant are listed, read, changed and revoked, and nobody else does that", async () => {
    const given = name();
    const gus = (await admin(url, "POST", "", { tenant: "globex", user: "gus", name: given })).json.data;
    const listed = await admin(url, "GET", `?tenantId=${gus.tenantId}&userId=${gus.userId}&status=active&q=${encodeURIComponent(given)}`);
    expect(listed.json.data).toEqual([expect.objectContaining({ id: gus.id, tenant: "globex", user: "gus", grant: expect.stringMatching(/^(missing|active)$/) })]);
    expect((await admin(url, "GET", `?tenantId=${uma.tenantId}&q=${encodeURIComponent(given)}`)).json.data).toEqual([]);
    const first = await admin(url, "GET", "?limit=1");
    const second = await admin(url, "GET", `?limit=1&cursor=${first.json.page.nextCursor}`);
    expect(second.json.data[0].id).not.toBe(first.json.data[0].id);
    expect((await admin(url, "GET", `/${gus.id}`)).json.data.name).toBe(given);
    expect((await admin(url, "PATCH", `/${gus.id}`, { isActive: false })).json.data.status).toBe("disabled");
    expect((await me(url, gus.key)).json.code).toBe("key_disabled");
    expect((await admin(url, "DELETE", `/${gus.id}`)).json.data.status).toBe("revoked");
    expect((await me(url, gus.key)).json.code).toBe("key_revoked");
    const { access_token } = await tokensOf("uma");
    for (const [method, path] of [["GET", ""], ["POST", ""], ["POST", "/import"], ["GET", `/${gus.id}`], ["PATCH", `/${gus.id}`], ["DELETE", `/${gus.id}`]] as const) {
      const refused = await call(url, method, `/api/admin/api-keys${path}`, { bearer: access_token, body: method === "GET" ? undefined : {} });
      expect([refused.status, refused.json.permission], `${method} ${path}`).toEqual([403, "admin:keys"]);
    }
  });

  it("kaa_ and flash_ keys work unchanged once their hashes are imported, whole or after the prefix", async () => {
    const [kaa, flash, tail] = [`kaa_${randomBytes(32).toString("hex")}`, `flash_${randomBytes(24).toString("base64url")}`, `flash_${randomBytes(24).toString("base64url")}`];
    // They were tried before, so that the checks remember them as unknown.
    for (const key of [kaa, flash, tail]) expect((await me(url, key)).json.code).toBe("invalid_credentials");
    const shared = { permissions: ["read"], userId: uma.id };
    const keys = [
      { ...shared, sha256: sha256(kaa), name: name(), prefix: "kaa_", start: kaa.slice(0, 8), last4: kaa.slice(-4), rateLimit: { requests: 9, window: 60 } },
      { ...shared, userId: undefined, tenant: "acme", user: "uma", sha256: sha256(flash).toUpperCase(), name: name() },
      { ...shared, sha256: sha256(tail.slice(6)), hashed: "afterPrefix", prefix: "flash_", name: name() },
      { ...shared, sha256: sha256(flash), name: name() },
      { ...shared, sha256: sha256("x"), userId: randomUUID(), name: name() },
      { ...shared, sha256: sha256("y"), hashed: "afterPrefix", prefix: "other_", name: name() },
      { ...shared, sha256: sha256("z"), name: name(), expiresAt: "2020-01-01T00:00:00Z" },
    ];
    const dry = await admin(url, "POST", "/import", { keys, dryRun: true });
    expect(dry.json.data.map((r: { status: string }) => r.status)).toEqual(["imported", "imported", "imported", "exists", "error", "error", "error"]);
    expect((await me(url, kaa)).status).toBe(401);
    const done = await admin(url, "POST", "/import", { keys });
    expect([done.status, done.json.message]).toEqual([200, "3 imported, 1 known already, 3 failed."]);
    expect(done.json.data.map((r: { status: string; code?: string }) => [r.status, r.code])).toEqual([["imported", undefined], ["imported", undefined], ["imported", undefined], ["exists", undefined], ["error", "not_found"], ["error", "validation_failed"], ["error", "validation_failed"]]);
    for (const door of Object.values(doors)) {
      for (const key of [kaa, flash, tail]) expect((await me(door, key)).json.data, key.slice(0, 6)).toMatchObject({ actor: "apiKey", id: uma.id });
    }
    expect((await me(url, kaa)).headers.get("x-ratelimit-limit")).toBe("9");
    expect((await me(url, tail.slice(6))).status).toBe(401);
    expect((await admin(url, "POST", "/import", { keys: keys.slice(0, 3) })).json.data.map((r: { status: string }) => r.status)).toEqual(["exists", "exists", "exists"]);
    const [imported] = done.json.data;
    expect((await admin(url, "GET", `/${imported.id}`)).json.data).toMatchObject({ start: kaa.slice(0, 8), last4: kaa.slice(-4) });
    expect((await admin(url, "DELETE", `/${imported.id}`)).status).toBe(200);
    expect((await me(url, kaa)).json.code).toBe("key_revoked");
  });

  it("an import's list is judged whole before anything is done", async () => {
    const bad = await admin(url, "POST", "/import", { keys: [{ sha256: "abc", name: "", permissions: ["fly"] }, { sha256: sha256("q"), name: "n", permissions: ["read"], userId: uma.id, hashed: "afterPrefix" }] });
    expect([bad.status, bad.json.errors.map((e: { pointer: string }) => e.pointer).sort()]).toEqual([422, expect.arrayContaining(["/keys/0/name", "/keys/0/permissions/0", "/keys/0/sha256", "/keys/1/prefix"])]);
    expect((await admin(url, "POST", "/import", { keys: [] })).status).toBe(422);
  });
});

it("the door is closed where no token is set, whatever is presented", async () => {
  const replicas = await Promise.all([undefined, ""].map((nothing) => startReplica({ ADMIN_TOKEN: nothing })));
  try {
    for (const { url } of replicas) {
      for (const bearer of [adminToken, "undefined", "null"]) {
        for (const [method, path, body] of [["GET", "/api/admin/tenants"], ["POST", "/api/admin/api-keys", { tenant: "acme", user: "uma", name: name() }]] as const) {
          const refused = await call(url, method, path, { bearer, body });
          expect([refused.status, refused.json.code], `${method} ${path} with ${bearer === adminToken ? "the token of the others" : bearer}`).toEqual([401, "invalid_credentials"]);
        }
      }
      expect((await me(url, ada.key)).status, "and nothing else is").toBe(200);
    }
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop()));
  }
}, 90_000);

it("the door is closed when the token is short, and guesses are counted by address", async () => {
  const replica = await startReplica({ ADMIN_TOKEN: "short-and-so-of-no-use", AUTH_FAILURE_LIMIT: "3/60", TRUSTED_PROXIES: "127.0.0.1,::1" });
  const open = await startReplica({ AUTH_FAILURE_LIMIT: "3/60", TRUSTED_PROXIES: "127.0.0.1,::1" });
  try {
    const from = (ip: string) => ({ headers: { "x-forwarded-for": ip } });
    expect((await call(replica.url, "GET", "/api/admin/tenants", { bearer: "short-and-so-of-no-use", ...from("198.51.100.7") })).status).toBe(401);
    const guess = async (token: string) => (await call(open.url, "GET", "/api/admin/tenants", { bearer: token, ...from("198.51.100.8") })).status;
    expect([await guess("a guess".replace(" ", "-")), await guess("b-guess"), await guess("c-guess"), await guess("d-guess"), await guess(adminToken)]).toEqual([401, 401, 401, 429, 429]);
  } finally {
    await Promise.all([replica.stop(), open.stop()]);
  }
});
