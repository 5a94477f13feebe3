import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Context, type Person, permissionMask, type Role } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { redis, redisReady } from "@/lib/platform/redis";
import { checkCall, createKey, getKey, rotateKey, updateKey, verifyKey } from ".";
import { checkWithoutRedis } from "./check-without-redis";
import { CreateKeyInput, UpdateKeyInput, VerifyKeyInput } from "./schemas";
import { lookupHashes, newSecret } from "./secret";

const create = (ctx: Context, input: object = {}) => createKey(ctx, CreateKeyInput.parse({ name: "k", ...input }));
const update = (ctx: Context, id: string, input: object) => updateKey(ctx, id, UpdateKeyInput.parse(input));
const codeFrom = async (secret: string, ip: string | null) => {
  const verdict = await checkCall({ kind: "secret", secret }, { ip });
  return verdict.ok ? "ok" : verdict.error.code;
};
/** The context in which a key's call runs. */
const asKey = (person: Person, apiKeyId: string, permissions = ["*"]): Context => ({ ...contextOf(person, { apiKeyId }), permissions: permissionMask(permissions) & contextOf(person).permissions });
const flow = () => randomUUID();
const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();
const escalates = { code: "permission_escalation" };

describe("a key that is limited to addresses", () => {
  afterEach(() => setEnv(undefined));

  it("is admitted from inside its ranges only, v4, v6 and v4 in v6's clothes; from an unknown address not at all", async () => {
    const { secret } = await create(contextOf(await aPerson()), { allowedIps: ["10.1.0.0/16", "192.0.2.7", "2001:db8:5::/48"] });
    for (const inside of ["10.1.2.3", "192.0.2.7", "2001:db8:5:1::9", "::ffff:10.1.255.255"]) expect(await codeFrom(secret, inside), inside).toBe("ok");
    for (const outside of ["10.2.0.1", "192.0.2.70", "192.0.2.77", "2001:db8:6::1", "::ffff:10.2.0.1", "::1", null]) expect(await codeFrom(secret, outside), String(outside)).toBe("ip_not_allowed");
  });

  it("a refusal for the address takes nothing, tells what it saw, and what would have been accepted", async () => {
    const { key, secret } = await create(contextOf(await aPerson()), { allowedIps: ["10.0.0.0/8", "2001:db8::/32"], rateLimit: { requests: 2, window: 60 } });
    const verdict = await checkCall({ kind: "secret", secret }, { ip: "192.0.2.1" });
    expect(verdict).toMatchObject({ ok: false, apiKeyId: key.id, error: { options: { decision: { check: "address", seen: "192.0.2.1", limit: ["10.0.0.0/8", "2001:db8::/32"] } } } });
    expect(verdict.headers["X-RateLimit-Remaining"]).toBe("2");
  });

  it("a changed list holds at the next call", async () => {
    const ctx = contextOf(await aPerson());
    const { key, secret } = await create(ctx, { allowedIps: ["10.0.0.0/8"] });
    expect(await codeFrom(secret, "10.0.0.1")).toBe("ok");
    await update(ctx, key.id, { allowedIps: ["192.0.2.0/24"] });
    expect(await codeFrom(secret, "10.0.0.1")).toBe("ip_not_allowed");
    await update(ctx, key.id, { allowedIps: [] });
    expect(await codeFrom(secret, null)).toBe("ok");
  });

  it("without Redis the list holds as well", async () => {
    const { secret } = await create(contextOf(await aPerson()), { allowedIps: ["10.0.0.0/8"] });
    const start = { by: "hash" as const, ...lookupHashes(secret) };
    const codes = await Promise.all(["10.9.9.9", "::ffff:10.0.0.1", "11.0.0.1", null].map(async (ip) => {
      const verdict = await checkWithoutRedis(start, { kind: "secret", secret }, { ip });
      return verdict.ok ? "ok" : verdict.error.code;
    }));
    expect(codes).toEqual(["ok", "ok", "ip_not_allowed", "ip_not_allowed"]);
  });

  it("what stands in the row and is no range lets nobody in", async () => {
    const { key, secret } = await create(contextOf(await aPerson()));
    await db().apiKey.update({ where: { id: key.id }, data: { allowedIps: ["everywhere"] } });
    expect(await codeFrom(secret, "10.0.0.1")).toBe("ip_not_allowed");
  });
});

describe("a key gives nothing that it does not have", () => {
  it("permissions, chatflows, addresses and expiry of a key that it creates stay within its own; what is left out is inherited", async () => {
    const person = await aPerson();
    const [a, b] = [flow(), flow()];
    const parent = await create(contextOf(person), { permissions: ["api-keys:create", "ai:predict"], chatflowIds: [a, b], allowedIps: ["10.0.0.0/8"], expiresAt: tomorrow() });
    const ctx = asKey(person, parent.key.id, ["api-keys:create", "ai:predict"]);
    const child = await create(ctx);
    expect(child.key).toMatchObject({ permissions: parent.key.permissions, chatflowIds: [a, b], allowedIps: ["10.0.0.0/8"], expiresAt: parent.key.expiresAt, createdBy: { type: "apiKey", id: parent.key.id } });
    expect((await create(ctx, { chatflowIds: [b], allowedIps: ["10.1.0.0/16"], expiresIn: 60 })).key).toMatchObject({ chatflowIds: [b], allowedIps: ["10.1.0.0/16"] });
    for (const wider of [{ permissions: ["ai:*"] }, { permissions: ["chatflows:read"] }, { chatflowIds: [flow()] }, { chatflowIds: [a, flow()] }, { chatflowIds: null }, { allowedIps: ["11.0.0.0/8"] }, { allowedIps: ["8.0.0.0/6"] }, { allowedIps: [] }, { allowedIps: ["2001:db8::/32"] }, { expiresAt: null }, { expiresIn: 2 * 86_400 }]) {
      await expect(create(ctx, wider), JSON.stringify(wider)).rejects.toMatchObject(escalates);
    }
  });

  it("it cannot widen itself or another key, by no field", async () => {
    const person = await aPerson();
    const a = flow();
    const narrow = { permissions: ["api-keys:manage", "ai:predict"], chatflowIds: [a], allowedIps: ["10.0.0.0/8"], expiresAt: tomorrow() };
    const [self, other] = [await create(contextOf(person), narrow), await create(contextOf(person), narrow)];
    const ctx = asKey(person, self.key.id, narrow.permissions);
    for (const target of [self.key.id, other.key.id]) {
      for (const wider of [{ permissions: ["*"] }, { permissions: ["write"] }, { chatflowIds: null }, { chatflowIds: [a, flow()] }, { allowedIps: [] }, { allowedIps: ["0.0.0.0/0"] }, { expiresAt: null }, { expiresAt: new Date(Date.now() + 2 * 86_400_000).toISOString() }]) {
        await expect(update(ctx, target, wider), JSON.stringify(wider)).rejects.toMatchObject(escalates);
      }
      expect((await update(ctx, target, { name: "renamed", permissions: ["ai:predict"], allowedIps: ["10.3.0.0/16"] })).key).toMatchObject({ name: "renamed", chatflowIds: [a] });
    }
  });

  it("a wide key's secret, or its enabling, is not to be had with a narrow key, nor with a narrower token", async () => {
    const person = await aPerson();
    const owner = contextOf(person);
    const wide = await create(owner, { permissions: ["write", "api-keys:manage"] });
    const narrow = await create(owner, { permissions: ["api-keys:manage"] });
    const ctx = asKey(person, narrow.key.id, ["api-keys:manage"]);
    await expect(rotateKey(ctx, wide.key.id, { overlapSeconds: 0 })).rejects.toMatchObject(escalates);
    await expect(rotateKey(contextOf(person, { permissions: ["api-keys:manage"] }), wide.key.id, { overlapSeconds: 0 })).rejects.toMatchObject(escalates);
    await update(ctx, wide.key.id, { isActive: false });
    await expect(update(ctx, wide.key.id, { isActive: true })).rejects.toMatchObject(escalates);
    expect((await getKey(owner, wide.key.id)).status).toBe("disabled");
    expect((await rotateKey(ctx, narrow.key.id, { overlapSeconds: 0 })).key.id).toBe(narrow.key.id);
  });

  it("a token that is limited to chatflows makes no key without that limit, widens none and gets no wider one's secret, be it a person's or a key's", async () => {
    const person = await aPerson();
    const owner = contextOf(person);
    const [a, b] = [flow(), flow()];
    const permissions = ["api-keys:create", "api-keys:manage", "ai:predict"];
    const [parent, wide, inside] = [await create(owner, { permissions, chatflowIds: [a, b] }), await create(owner), await create(owner, { permissions: ["ai:predict"], chatflowIds: [a] })];
    const persons: Context = { ...owner, chatflowIds: [a] };
    for (const ctx of [persons, { ...asKey(person, parent.key.id, permissions), chatflowIds: [a] }] satisfies Context[]) {
      expect((await create(ctx)).key.chatflowIds).toEqual([a]);
      for (const wider of [{ chatflowIds: null }, { chatflowIds: [b] }, { chatflowIds: [a, b] }]) {
        await expect(create(ctx, wider), JSON.stringify(wider)).rejects.toMatchObject(escalates);
        await expect(update(ctx, inside.key.id, wider), JSON.stringify(wider)).rejects.toMatchObject(escalates);
      }
      await expect(rotateKey(ctx, wide.key.id, { overlapSeconds: 0 })).rejects.toMatchObject(escalates);
      expect((await rotateKey(ctx, inside.key.id, { overlapSeconds: 0 })).key.id).toBe(inside.key.id);
    }
    expect((await create(persons)).key.permissions).toEqual(wide.key.permissions);
    await update(owner, parent.key.id, { chatflowIds: [b] });
    await expect(create({ ...asKey(person, parent.key.id, permissions), chatflowIds: [a] })).rejects.toMatchObject(escalates);
  });

  it("somebody else's address cannot be let into a wide key by a narrow one", async () => {
    const person = await aPerson();
    const wide = await create(contextOf(person), { permissions: ["write"], allowedIps: ["192.0.2.1"] });
    const narrow = await create(contextOf(person), { permissions: ["api-keys:manage"] });
    await expect(update(asKey(person, narrow.key.id, ["api-keys:manage"]), wide.key.id, { allowedIps: ["198.51.100.1"] })).rejects.toMatchObject(escalates);
  });

  it("what its owner's role does not allow now is not held, whatever the key says", async () => {
    const admin = await aPerson({ role: "admin" });
    const { key } = await create(contextOf(admin), { permissions: ["admin"] });
    for (const role of ["user", "viewer"] as Role[]) {
      const demoted = asKey({ ...admin, role }, key.id);
      await expect(create(demoted, { permissions: ["admin:keys"] })).rejects.toMatchObject({ code: role === "viewer" ? "insufficient_permission" : "permission_escalation" });
    }
  });
});

describe("asking about a key for another service", () => {
  const admin = async () => contextOf(await aPerson({ role: "admin" }));
  const verify = async (input: object) => verifyKey(await admin(), VerifyKeyInput.parse(input));

  it("tells what the check would say, and takes nothing", async () => {
    const person = await aPerson();
    const { key, secret } = await create(contextOf(person), { rateLimit: { requests: 1, window: 3600 }, allowedIps: ["10.0.0.0/8"] });
    for (let i = 0; i < 3; i++) expect(await verify({ key: secret })).toEqual({ valid: true, apiKeyId: key.id, ownerId: person.userId, permissions: ["ai:predict", "chatflows:read"], rateLimit: { requests: 1, window: 3600 } });
    expect(await verify({ key: secret, ip: "10.0.0.9" })).toMatchObject({ valid: true });
    expect(await verify({ key: secret, ip: "192.0.2.1" })).toMatchObject({ valid: false, code: "ip_not_allowed", apiKeyId: key.id });
    expect(await verify({ key: secret, permission: "nflow:read" })).toMatchObject({ valid: false, code: "insufficient_permission" });
    expect(await codeFrom(secret, "10.0.0.9")).toBe("ok");
    expect(await verify({ key: secret })).toMatchObject({ valid: false, code: "rate_limited" });
    expect(await verify({ key: "nonsense" })).toEqual({ valid: false, code: "invalid_credentials" });
    expect((await getKey(contextOf(person), key.id)).id).toBe(key.id);
  });

  it("a token that another service passes on is told to be no key, however long", async () => {
    expect(await verify({ key: `eyJ${"a".repeat(6000)}.e30.c2ln` })).toEqual({ valid: false, code: "invalid_credentials" });
  });

  it("a wrong key that is asked about counts as nobody's failed attempt", async () => {
    setEnv({ ...env(), AUTH_FAILURE_LIMIT: { requests: 2, window: 60 } });
    await redisReady();
    for (let i = 0; i < 6; i++) expect(await verify({ key: newSecret().value, ip: "203.0.113.77" })).toEqual({ valid: false, code: "invalid_credentials" });
    expect(await redis().exists("sl:l:a:203.0.113.77:60:e")).toBe(0);
    setEnv(undefined);
  });

  it("needs admin:keys", async () => {
    await expect(verifyKey(contextOf(await aPerson()), { key: "x" })).rejects.toMatchObject({ code: "insufficient_permission" });
  });
});
