import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, demo, doors, eachDoor, keyOf, revoke, tokensOf } from "./client";
import { startReplica } from "./replica";

let ada: { id: string; key: string };
let uma: string;
let gus: { id: string; key: string };
let globex: string;
const sql = new pg.Pool({ connectionString: demo.databaseUrl, max: 2 });

beforeAll(async () => {
  ada = await keyOf("ada", { permissions: ["admin:tenants", "admin:credits"] });
  gus = await keyOf("gus", { permissions: ["read"] });
  uma = (await tokensOf("uma")).access_token;
  globex = (await sql.query(`SELECT id FROM "Tenant" WHERE slug = 'globex'`)).rows[0].id;
});
afterAll(async () => {
  await sql.query(`UPDATE "Tenant" SET limits = '{}', "isActive" = true, version = version + 1 WHERE slug = 'globex'`);
  await revoke("ada", ada.id);
  await sql.end();
});

const admin = (url: string, method: string, path: string, body?: unknown) => call(url, method, `/api/admin${path}`, { key: ada.key, body });
const patchGlobex = (url: string, body: object) => admin(url, "PATCH", `/tenants/${globex}`, body);

describe.each(eachDoor)("tenants and plans at the $name door", ({ url }) => {
  it("a tenant is made, read, found by its slug and changed", async () => {
    const slug = `t-${randomUUID().slice(0, 8)}`;
    const made = await admin(url, "POST", "/tenants", { slug, limits: { keysPerUser: 3 } });
    expect([made.status, made.json.data]).toEqual([201, expect.objectContaining({ slug, name: slug, plan: "default", creditMode: "user", isActive: true, limits: { keysPerUser: 3, keyMaxLifetimeDays: null, rateLimit: null }, users: 0 })]);
    expect(made.json.data.limitsInForce).toEqual({ keysPerUser: 3, keyMaxLifetimeDays: null, rateLimit: { requests: 1_000_000, window: 3600 } });
    const { id } = made.json.data;
    expect((await admin(url, "POST", "/tenants", { slug })).json.code).toBe("conflict");
    expect((await admin(url, "GET", `/tenants?q=${slug}`)).json).toMatchObject({ data: [{ id }], page: { nextCursor: null, limit: 20 } });
    const changed = await admin(url, "PATCH", `/tenants/${id}`, { name: "Renamed", creditMode: "tenant", limits: { keysPerUser: null, keyMaxLifetimeDays: 30 } });
    expect(changed.json.data).toMatchObject({ name: "Renamed", creditMode: "tenant", limits: { keysPerUser: null, keyMaxLifetimeDays: 30, rateLimit: null } });
    expect((await call(url, "GET", `/api/v1/admin/tenants/${id}`, { key: ada.key })).json.data).toEqual(changed.json.data);
    for (const unknown of [randomUUID(), "x"]) expect((await admin(url, "GET", `/tenants/${unknown}`)).status).toBe(404);
    for (const [body, pointer] of [[{ slug: "No" }, "/slug"], [{ slug, plan: "no such plan" }, "/plan"], [{ slug, isActive: false }, "/isActive"], [{ slug, limits: { keysPerUser: -1 } }, "/limits/keysPerUser"]] as const) {
      const bad = await admin(url, "POST", "/tenants", body);
      expect([bad.status, bad.json.errors[0].pointer]).toEqual([422, pointer]);
    }
    const credits = await admin(url, "POST", `/tenants/${id}/credits`, { amount: 50, reason: "start" });
    expect(credits.json.data).toEqual({ account: { kind: "tenant", id }, available: 1050, held: 0, currency: "credits" });
    expect((await admin(url, "POST", `/tenants/${id}/credits`, { amount: -2000, reason: "too much" })).json.code).toBe("conflict");
  });

  it("lists in pages that a cursor continues", async () => {
    const first = await admin(url, "GET", "/tenants?limit=1");
    expect(first.json.page.nextCursor).toEqual(expect.any(String));
    const second = await admin(url, "GET", `/tenants?limit=1&cursor=${first.json.page.nextCursor}`);
    expect(second.json.data[0].slug > first.json.data[0].slug).toBe(true);
    for (const cursor of ["x", "bnVsbA"]) expect((await admin(url, "GET", `/tenants?cursor=${cursor}`)).status).toBe(422);
  });

  it("a plan's limit is its tenants' unless they have their own; one in use, and the default, cannot be deleted", async () => {
    const name = `plan ${randomUUID().slice(0, 8)}`;
    const plan = await admin(url, "POST", "/plans", { name, monthlyCredits: 5, limits: { rateLimit: { requests: 7, window: 60 }, keysPerUser: 2 } });
    expect([plan.status, plan.json.data]).toEqual([201, expect.objectContaining({ name, monthlyCredits: 5, isDefault: false, tenants: 0, limits: { rateLimit: { requests: 7, window: 60 }, keysPerUser: 2, keyMaxLifetimeDays: null } })]);
    const { id } = plan.json.data;
    const tenant = (await admin(url, "POST", "/tenants", { slug: `t-${randomUUID().slice(0, 8)}`, plan: name, limits: { keysPerUser: 9 } })).json.data;
    expect([tenant.plan, tenant.limitsInForce]).toEqual([name, { keysPerUser: 9, keyMaxLifetimeDays: null, rateLimit: { requests: 7, window: 60 } }]);
    expect((await admin(url, "PATCH", `/plans/${id}`, { limits: { rateLimit: null } })).json.data.limits.rateLimit).toBeNull();
    expect((await admin(url, "DELETE", `/plans/${id}`)).json.code).toBe("conflict");
    await admin(url, "PATCH", `/tenants/${tenant.id}`, { plan: "default" });
    expect((await admin(url, "DELETE", `/plans/${id}`)).json.data).toMatchObject({ id, name, monthlyCredits: 5, limits: { rateLimit: null, keysPerUser: 2 }, tenants: 0 });
    expect((await admin(url, "GET", `/plans/${id}`)).status).toBe(404);
    const standard = (await admin(url, "GET", "/plans?q=default")).json.data.find((p: { isDefault: boolean }) => p.isDefault);
    expect((await admin(url, "DELETE", `/plans/${standard.id}`)).json.code).toBe("conflict");
    expect((await admin(url, "POST", "/plans", { name: "default" })).json.code).toBe("conflict");
  });

  it("nobody without admin:tenants reads or changes any of it, and no tenant shuts itself out", async () => {
    for (const [method, path] of [["GET", "/tenants"], ["POST", "/tenants"], ["GET", `/tenants/${globex}`], ["PATCH", `/tenants/${globex}`], ["GET", "/plans"], ["POST", "/plans"], ["DELETE", `/plans/${globex}`]] as const) {
      const answer = await call(url, method, `/api/admin${path}`, { bearer: uma, body: method === "GET" ? undefined : { slug: "x", name: "x" } });
      expect([answer.status, answer.json.permission], `${method} ${path}`).toEqual([403, "admin:tenants"]);
    }
    const own = (await sql.query(`SELECT id FROM "Tenant" WHERE slug = 'acme'`)).rows[0].id;
    expect((await admin(url, "PATCH", `/tenants/${own}`, { isActive: false })).json.code).toBe("conflict");
  });

  it("a tenant that is switched off is shut out at once, keys and people, and comes back the same way", async () => {
    const person = (await tokensOf("gus", url)).access_token;
    const both = async () => (await Promise.all([call(url, "GET", "/api/v1/auth/me", { key: gus.key }), call(url, "GET", "/api/v1/auth/me", { bearer: person })])).map((a) => a.json.code ?? a.status);
    expect(await both()).toEqual([200, 200]);
    expect((await patchGlobex(url, { isActive: false })).json.data.isActive).toBe(false);
    expect(await both()).toEqual(["owner_disabled", "owner_disabled"]);
    expect((await patchGlobex(url, { isActive: true })).status).toBe(200);
    expect(await both()).toEqual([200, 200]);
  });
});

it("a changed limit is in force on every replica when the answer is sent, a plan's too", async () => {
  const replica = await startReplica();
  try {
    const everywhere = [doors.own, doors.next, replica.url];
    const limits = () => Promise.all(everywhere.map(async (url) => (await call(url, "GET", "/api/v1/auth/me", { key: gus.key })).headers.get("x-ratelimit-limit")));
    expect(await limits()).toEqual(["1000", "1000", "1000"]);
    await patchGlobex(doors.own, { limits: { rateLimit: { requests: 500, window: 3600 } } });
    expect(await limits()).toEqual(["500", "500", "500"]);
    const plan = (await admin(doors.next, "POST", "/plans", { name: `p ${randomUUID()}`, limits: { rateLimit: { requests: 600, window: 3600 } } })).json.data;
    await patchGlobex(doors.own, { plan: plan.id, limits: { rateLimit: null } });
    expect(await limits()).toEqual(["600", "600", "600"]);
    await admin(doors.next, "PATCH", `/plans/${plan.id}`, { limits: { rateLimit: { requests: 400, window: 3600 } } });
    expect(await limits()).toEqual(["400", "400", "400"]);
    await patchGlobex(doors.own, { plan: "default" });
    expect(await limits()).toEqual(["1000", "1000", "1000"]);
  } finally {
    await replica.stop();
  }
});
