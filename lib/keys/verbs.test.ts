import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context, Person } from "@/lib/access";
import { db, pool } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { checkCall, createAnyKey, createKey, getKey, listKeys, revokeKey, revokeKeys, rotateKey, updateKey } from ".";
import { ApiKeyView, CreateAnyKeyInput, CreateKeyInput, ListKeysInput, RotateKeyInput, UpdateKeyInput } from "./schemas";
import { hashSecret } from "./secret";

const create = (ctx: Context, input: object = {}) => createKey(ctx, CreateKeyInput.parse({ name: "k", ...input }));
const update = (ctx: Context, id: string, input: object) => updateKey(ctx, id, UpdateKeyInput.parse(input));
const list = (ctx: Context, input: object = {}) => listKeys(ctx, ListKeysInput.parse(input));
const asKey = (person: Person, apiKeyId: string, permissions: string[]) => contextOf(person, { apiKeyId, permissions });
const rowOf = (id: string) => db().apiKey.findUniqueOrThrow({ where: { id } });
const auditOf = async (id: string) => (await db().auditEvent.findMany({ where: { targetId: id }, orderBy: { writeOrder: "asc" } })).map((event) => event.action);
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe("API keys", () => {
  afterEach(() => setEnv(undefined));

  it("the secret is in creation's answer and nowhere else", async () => {
    const ctx = contextOf(await aPerson());
    const { key, secret } = await create(ctx, { name: "reports", description: "nightly" });
    expect(ApiKeyView.parse(key)).toEqual(key);
    expect(key).toMatchObject({ name: "reports", description: "nightly", permissions: ["chatflows:read", "ai:predict"], rateLimit: { requests: 1000, window: 3600 }, chatflowIds: null, allowedIps: [], rotation: null, isActive: true, status: "active", requestCount: 0, createdBy: { type: "user", id: key.userId } });
    expect([key.start, key.last4]).toEqual([secret.slice(0, 8), secret.slice(-4)]);
    const everything = JSON.stringify([key, await getKey(ctx, key.id), await list(ctx), await db().auditEvent.findMany({ where: { targetId: key.id } }), { ...(await rowOf(key.id)), requestCount: 0, secretHash: "" }], (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(hashSecret(secret));
    expect(await auditOf(key.id)).toEqual(["key.created"]);
  });

  it("an outsider gets 404 for every verb, whoever they are, and nothing moves", async () => {
    const owner = await aPerson();
    const { key } = await create(contextOf(owner));
    const before = await rowOf(key.id);
    for (const outsider of [await aPerson(), await aPerson({ role: "admin" }), await aPerson({ tenant: owner.tenant })]) {
      const ctx = contextOf(outsider);
      for (const attempt of [() => getKey(ctx, key.id), () => update(ctx, key.id, { name: "mine" }), () => revokeKey(ctx, key.id), () => revokeKey(ctx, key.id, { cascade: true }), () => revokeKeys(ctx, [key.id])]) {
        await expect(attempt()).rejects.toMatchObject({ code: "not_found" });
      }
      expect((await list(ctx)).keys).toEqual([]);
    }
    for (const id of ["", "x", randomUUID(), "' OR 1=1"]) await expect(getKey(contextOf(owner), id)).rejects.toMatchObject({ code: "not_found" });
    expect(await rowOf(key.id)).toEqual(before);
    expect(await auditOf(key.id)).toEqual(["key.created"]);
  });

  it("a key changes and rotates another while its own calls are counted, and waits for nobody", async () => {
    const owner = await aPerson();
    const manager = await create(contextOf(owner), { permissions: ["api-keys:manage", "api-keys:create", "chatflows:read"] });
    const { key } = await create(contextOf(owner), { permissions: ["chatflows:read"] });
    const ctx = asKey(owner, manager.key.id, ["api-keys:manage", "api-keys:create", "chatflows:read"]);
    const counting = await pool().connect();
    try {
      // As countKeys does, which then wants the other key's row.
      await counting.query("BEGIN");
      await counting.query('UPDATE "ApiKey" SET "requestCount" = "requestCount" + 1 WHERE id = $1', [manager.key.id]);
      expect((await update(ctx, key.id, { isActive: false })).key.status).toBe("disabled");
      await update(ctx, key.id, { isActive: true });
      await rotateKey(ctx, key.id, RotateKeyInput.parse({ overlapSeconds: 60 }));
      await create(ctx, { permissions: ["chatflows:read"] });
    } finally {
      await counting.query("ROLLBACK");
      counting.release();
    }
  });

  it("a viewer creates and changes nothing", async () => {
    const viewer = await aPerson({ role: "viewer" });
    await expect(create(contextOf(viewer))).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(update(contextOf(viewer), randomUUID(), { name: "x" })).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(revokeKey(contextOf(viewer), randomUUID())).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("nobody gives a permission that they do not hold, at creation or later", async () => {
    const ctx = contextOf(await aPerson());
    for (const permissions of [["*"], ["admin"], ["admin:users"], ["ai:*"]]) {
      await expect(create(ctx, { permissions })).rejects.toMatchObject({ code: "permission_escalation" });
    }
    const { key } = await create(ctx, { permissions: ["write"] });
    expect(key.permissions).toEqual(expect.arrayContaining(["ai:predict", "ai:train", "nflow:write", "usage:read"]));
    await expect(update(ctx, key.id, { permissions: ["ai:predict", "ai:admin"] })).rejects.toMatchObject({ code: "permission_escalation" });
    expect((await getKey(ctx, key.id)).permissions).toEqual(key.permissions);
  });

  it("a key gives a key that it creates no more than it has, and what is left out is inherited", async () => {
    const person = await aPerson();
    const expiresAt = inDays(10);
    const held = ["chatflows:read", "api-keys:create", "api-keys:manage"];
    const { key: parent } = await create(contextOf(person), { permissions: held, expiresAt });
    const ctx = asKey(person, parent.id, held);
    const { key: child } = await create(ctx);
    expect(child).toMatchObject({ permissions: parent.permissions, expiresAt, createdBy: { type: "apiKey", id: parent.id } });
    expect((await create(ctx, { expiresAt: inDays(5), permissions: ["chatflows:read"] })).key.permissions).toEqual(["chatflows:read"]);
    await expect(create(ctx, { permissions: ["ai:predict"] })).rejects.toMatchObject({ code: "permission_escalation" });
    await expect(create(ctx, { expiresAt: inDays(11) })).rejects.toMatchObject({ code: "permission_escalation" });
    for (const id of [child.id, parent.id]) {
      await expect(update(ctx, id, { expiresAt: null })).rejects.toMatchObject({ code: "permission_escalation" });
      await expect(update(ctx, id, { expiresAt: inDays(11) })).rejects.toMatchObject({ code: "permission_escalation" });
      await expect(update(ctx, id, { permissions: ["ai:predict"] })).rejects.toMatchObject({ code: "permission_escalation" });
    }
    await revokeKey(contextOf(person), parent.id);
    await expect(create(ctx)).rejects.toMatchObject({ code: "key_revoked" });
  });

  it("ten creations at once at the limit make exactly as many as there is room for", async () => {
    setEnv({ ...env(), API_KEY_MAX_PER_USER: 3 });
    const person = await aPerson();
    const ctx = contextOf(person);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => create(ctx)));
    expect(results.filter((r) => r.status === "fulfilled")).toHaveLength(3);
    for (const r of results) if (r.status === "rejected") expect(r.reason).toMatchObject({ code: "key_limit_reached" });
    const [key] = (await list(ctx)).keys;
    await revokeKey(ctx, key?.id ?? "");
    await create(ctx);
    await expect(create(ctx)).rejects.toMatchObject({ code: "key_limit_reached" });
  });

  it("an expired key makes room, and may not live again where there is none", async () => {
    setEnv({ ...env(), API_KEY_MAX_PER_USER: 1 });
    const ctx = contextOf(await aPerson());
    const { key } = await create(ctx);
    await db().apiKey.update({ where: { id: key.id }, data: { expiresAt: new Date(Date.now() - 1000) } });
    await create(ctx);
    await expect(update(ctx, key.id, { expiresAt: inDays(1) })).rejects.toMatchObject({ code: "key_limit_reached" });
  });

  it("an expiry lies in the future and within the longest life allowed", async () => {
    const ctx = contextOf(await aPerson());
    await expect(create(ctx, { expiresAt: inDays(-1) })).rejects.toMatchObject({ code: "validation_failed", options: { errors: [{ pointer: "/expiresAt" }] } });
    setEnv({ ...env(), API_KEY_MAX_LIFETIME_DAYS: 30 });
    for (const input of [{ expiresAt: inDays(31) }, { expiresIn: 31 * 86_400 }, {}]) await expect(create(ctx, input)).rejects.toMatchObject({ code: "validation_failed" });
    const { key } = await create(ctx, { expiresIn: 29 * 86_400 });
    await expect(update(ctx, key.id, { expiresAt: null })).rejects.toMatchObject({ code: "validation_failed" });
  });

  it("a change is in force at the next check, and null is not the same as absent", async () => {
    const ctx = contextOf(await aPerson());
    const { key, secret } = await create(ctx, { description: "d", expiresAt: inDays(3) });
    const check = () => checkCall({ kind: "secret", secret }, { ip: null, permission: "ai:predict" });
    expect((await check()).ok).toBe(true);
    const { key: narrowed } = await update(ctx, key.id, { permissions: ["chatflows:read"] });
    expect(narrowed).toMatchObject({ description: "d", expiresAt: key.expiresAt });
    expect(await check()).toMatchObject({ ok: false, error: { code: "insufficient_permission" } });
    await update(ctx, key.id, { isActive: false });
    expect(await check()).toMatchObject({ ok: false, error: { code: "key_disabled" } });
    const { key: back } = await update(ctx, key.id, { isActive: true, permissions: ["ai:predict"], rateLimit: { requests: 7, window: 10 }, expiresAt: null, description: null });
    expect(back).toMatchObject({ status: "active", expiresAt: null, description: null, rateLimit: { requests: 7, window: 10 } });
    expect(await check()).toMatchObject({ ok: true, rateLimit: { requests: 7, window: 10 } });
    expect(await auditOf(key.id)).toEqual(["key.created", "key.updated", "key.updated", "key.updated"]);
  });

  it("a revoked key stays revoked, and revoking it again is fine", async () => {
    const ctx = contextOf(await aPerson());
    const { key } = await create(ctx);
    const revoked = await revokeKey(ctx, key.id, { reason: "lost" });
    expect(revoked.key).toMatchObject({ isActive: false, status: "revoked", revokedReason: "lost" });
    expect(await revokeKey(ctx, key.id)).toEqual(revoked);
    await expect(update(ctx, key.id, { isActive: true })).rejects.toMatchObject({ code: "conflict" });
    expect(await auditOf(key.id)).toEqual(["key.created", "key.revoked"]);
  });

  it("cascade revokes what the key created, and theirs; without it they live", async () => {
    const person = await aPerson();
    const all = ["chatflows:read", "api-keys:create"];
    const { key: a } = await create(contextOf(person), { permissions: all });
    const { key: b } = await create(asKey(person, a.id, all));
    const { key: c, secret } = await create(asKey(person, b.id, all));
    const { key: other } = await create(contextOf(person));
    expect((await checkCall({ kind: "secret", secret }, { ip: null })).ok).toBe(true);
    await revokeKey(contextOf(person), b.id);
    expect((await rowOf(c.id)).revokedAt).toBeNull();
    await revokeKey(contextOf(person), a.id, { cascade: true });
    expect(await checkCall({ kind: "secret", secret }, { ip: null })).toMatchObject({ ok: false, error: { code: "key_revoked" } });
    expect((await rowOf(other.id)).revokedAt).toBeNull();
    expect(await auditOf(b.id)).toEqual(["key.created", "key.revoked"]);
  });

  it("what a key created for somebody else ends with it only by an administrator whose proof is fresh; who is none hears how many live on", async () => {
    const [person, other] = [await aPerson({ role: "admin" }), await aPerson()];
    const { key: root } = await create(contextOf(person), { permissions: ["*"] });
    const made = (await createAnyKey(asKey(person, root.id, ["*"]), CreateAnyKeyInput.parse({ tenant: other.tenant, user: other.username, name: "made", permissions: ["chatflows:read"] }))).key;
    const { key: own } = await create(asKey(person, root.id, ["*"]));
    const stale = { ...contextOf(person), requireFresh: () => { throw new SluiceError("step_up_required", "Confirm that it is you."); } };

    await expect(revokeKey(stale, root.id, { cascade: true })).rejects.toMatchObject({ code: "step_up_required" });
    for (const { id } of [root, own, made]) expect((await rowOf(id)).revokedAt).toBeNull();
    await revokeKey(stale, own.id, { cascade: true });

    const { message, key } = await revokeKey(contextOf({ ...person, role: "user" }), root.id, { cascade: true });
    expect([key.status, message]).toEqual(["revoked", "1 key that it created for somebody else lives on. An administrator can revoke it."]);
    expect((await rowOf(made.id)).revokedAt).toBeNull();
    expect(await revokeKey(contextOf(person), root.id, { cascade: true })).not.toHaveProperty("message");
    expect((await rowOf(made.id)).revokedAt).not.toBeNull();
  });

  it("pages hold every key once, newest first, while keys come and go", async () => {
    const ctx = contextOf(await aPerson());
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.unshift((await create(ctx, { name: `key ${i}` })).key.id);
    const first = await list(ctx, { limit: "3" });
    await create(ctx, { name: "late" });
    await revokeKey(ctx, made[1] ?? "");
    const second = await list(ctx, { limit: 3, cursor: first.nextCursor });
    const third = await list(ctx, { limit: 3, cursor: second.nextCursor });
    expect([...first.keys, ...second.keys, ...third.keys].map((k) => k.id)).toEqual(made);
    expect(third.nextCursor).toBeNull();
    await expect(list(ctx, { cursor: "e30" })).rejects.toMatchObject({ code: "validation_failed" });
  });

  it("the list filters by status and finds by name and hint", async () => {
    const ctx = contextOf(await aPerson());
    const [active, disabled, revoked, expired] = [await create(ctx, { name: "50% off_all" }), await create(ctx, { name: "b" }), await create(ctx, { name: "c" }), await create(ctx, { name: "d" })].map((c) => c.key);
    if (!active || !disabled || !revoked || !expired) throw new Error("unreachable");
    await update(ctx, disabled.id, { isActive: false });
    await revokeKey(ctx, revoked.id);
    await db().apiKey.update({ where: { id: expired.id }, data: { expiresAt: new Date(Date.now() - 1) } });
    const ids = async (input: object) => (await list(ctx, input)).keys.map((k) => k.id);
    for (const [status, key] of Object.entries({ active, disabled, revoked, expired })) expect(await ids({ status }), status).toEqual([key.id]);
    expect(await ids({ q: "50% OFF_" })).toEqual([active.id]);
    expect(await ids({ q: "%%" })).toEqual([]);
    expect(await ids({ q: revoked.start })).toEqual([revoked.id]);
    expect(await ids({ q: disabled.last4 })).toContain(disabled.id);
  });

  it("a key that outlives its owner's grant says so", async () => {
    const person = await aPerson();
    const ctx = contextOf(person);
    const actsUntil = new Date(Date.now() + 20 * 86_400_000);
    await db().ownerGrant.create({ data: { userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, clientId: "sluice-machine", salt: "c2FsdA", sealed: "", status: "active", givenAt: new Date(), absDeadlineAt: actsUntil } });
    const longer = await create(ctx, { expiresAt: inDays(21) });
    expect(longer.message).toContain(actsUntil.toISOString());
    expect(longer.key.actsUntil).toBe(actsUntil.toISOString());
    expect((await create(ctx, { expiresAt: inDays(19) })).message).toBeUndefined();
  });

  it("input is judged strictly: what is not accepted yet, unknown names, wrong types and empty changes are errors at their place", () => {
    const pointers = (input: object) => CreateKeyInput.safeParse({ name: "k", ...input }).error?.issues.map((issue) => issue.path.join("/"));
    expect(CreateKeyInput.safeParse({ name: "k" }).success).toBe(true);
    for (const extra of [{ chatflowIds: [] }, { allowedIps: [] }, { isActive: true }, JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}')]) expect(CreateKeyInput.safeParse({ name: "k", ...extra, extra: 1 }).success).toBe(false);
    expect(CreateKeyInput.safeParse({ name: "k", chatflowIds: [] }).success).toBe(false);
    expect(pointers({ permissions: ["fly"] })).toEqual(["permissions/0"]);
    expect(pointers({ permissions: ["read", "constructor"] })).toEqual(["permissions/1"]);
    expect(pointers({ permissions: [] })).toEqual(["permissions"]);
    expect(pointers({ rateLimit: { requests: 0, window: 1 } })).toEqual(["rateLimit/requests"]);
    expect(pointers({ rateLimit: { requests: 1, window: 2_592_001 } })).toEqual(["rateLimit/window"]);
    expect(pointers({ expiresAt: inDays(1), expiresIn: 5 })).toEqual(["expiresIn"]);
    expect(pointers({ name: "a\u0000b" })).toEqual(["name"]);
    expect(pointers({ name: "" })).toEqual(["name"]);
    expect(pointers({ expiresAt: "tomorrow" })).toEqual(["expiresAt"]);
    expect(UpdateKeyInput.safeParse({}).success).toBe(false);
    expect(UpdateKeyInput.safeParse({ key: "slk_" }).success).toBe(false);
  });
});
