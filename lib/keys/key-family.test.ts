import { afterEach, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { createKey, getKeyAllowance, listCreatedKeys, revokeKey, rotateKey, updateKey } from ".";
import { CreateKeyInput } from "./schemas";

const create = async (ctx: Context, name: string) => (await createKey(ctx, CreateKeyInput.parse({ name, permissions: ["api-keys:read", "api-keys:create", "api-keys:manage"] }))).key.id;

describe("the keys that a key created", () => {
  it("are those, and those that they created, as far as they live: what a cascade would revoke", async () => {
    const person = await aPerson();
    const ctx = contextOf(person);
    const by = (apiKeyId: string) => contextOf(person, { apiKeyId, permissions: ["api-keys:read", "api-keys:create", "api-keys:manage"] });
    const root = await create(ctx, "root");
    const child = await create(by(root), "child");
    const grandchild = await create(by(child), "grandchild");
    const other = await create(ctx, "other");
    const names = async (id: string, as = ctx) => (await listCreatedKeys(as, id)).map((key) => key.name);
    expect(await names(root)).toEqual(["child", "grandchild"]);
    expect(await names(other)).toEqual([]);
    await revokeKey(ctx, child);
    expect(await names(root)).toEqual(["grandchild"]);
    for (const outsider of [await aPerson({ tenant: person.tenant }), await aPerson({ role: "admin" })]) expect(await names(root, contextOf(outsider))).toEqual([]);
    await revokeKey(ctx, root, { cascade: true });
    expect((await db().apiKey.findUniqueOrThrow({ where: { id: grandchild } })).revokedAt).not.toBeNull();
    expect(await names(root)).toEqual([]);
    await expect(listCreatedKeys(ctx, "x")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a key that makes and changes keys", () => {
  const permissions = ["api-keys:read", "api-keys:create", "api-keys:manage"];
  const aFamily = async () => {
    const person = await aPerson();
    const own = (await createKey(contextOf(person), CreateKeyInput.parse({ name: "own", permissions, rateLimit: { requests: 100, window: 60 } }))).key;
    return { person, own, asKey: contextOf(person, { apiKeyId: own.id, permissions }) };
  };

  it("never gives itself or another a higher rate limit than its own, in one burst or in many short windows", async () => {
    const { person, own, asKey } = await aFamily();
    const other = (await createKey(contextOf(person), CreateKeyInput.parse({ name: "other", permissions, rateLimit: { requests: 10, window: 60 } }))).key;
    for (const rateLimit of [{ requests: 1_000_000, window: 1 }, { requests: 101, window: 60 }, { requests: 101, window: 3600 }, { requests: 10, window: 5 }]) {
      for (const id of [own.id, other.id]) await expect(updateKey(asKey, id, { rateLimit }), JSON.stringify(rateLimit)).rejects.toMatchObject({ code: "permission_escalation" });
      await expect(createKey(asKey, CreateKeyInput.parse({ name: "child", permissions, rateLimit }))).rejects.toMatchObject({ code: "permission_escalation" });
    }
    for (const rateLimit of [{ requests: 100, window: 60 }, { requests: 10, window: 6 }, { requests: 100, window: 3600 }]) expect((await updateKey(asKey, other.id, { rateLimit })).key.rateLimit).toEqual(rateLimit);
  });

  it("passes its own rate limit on where none is named", async () => {
    const { asKey } = await aFamily();
    expect((await createKey(asKey, CreateKeyInput.parse({ name: "child", permissions }))).key.rateLimit).toEqual({ requests: 100, window: 60 });
  });

  it("hands out no new secret of a key that may call faster", async () => {
    const { person, asKey } = await aFamily();
    const fast = (await createKey(contextOf(person), CreateKeyInput.parse({ name: "fast", permissions, rateLimit: { requests: 1000, window: 60 } }))).key;
    await expect(rotateKey(asKey, fast.id, { overlapSeconds: 0 })).rejects.toMatchObject({ code: "permission_escalation" });
  });
});

describe("what one may still create", () => {
  afterEach(() => setEnv(undefined));

  it("counts live keys only, and names the operator's longest life where there is one", async () => {
    const person = await aPerson();
    const ctx = contextOf(person);
    const [first, second] = [await create(ctx, "a"), await create(ctx, "b")];
    await create(ctx, "c");
    await revokeKey(ctx, first);
    await db().apiKey.update({ where: { id: second }, data: { expiresAt: new Date(Date.now() - 1) } });
    expect(await getKeyAllowance(ctx)).toEqual({ liveKeys: 1, keysMax: env().API_KEY_MAX_PER_USER, lifetimeDays: null });
    setEnv({ ...env(), API_KEY_MAX_LIFETIME_DAYS: 30, API_KEY_MAX_PER_USER: 4 });
    expect(await getKeyAllowance(ctx)).toEqual({ liveKeys: 1, keysMax: 4, lifetimeDays: 30 });
    expect(await getKeyAllowance(contextOf(await aPerson({ tenant: person.tenant })))).toMatchObject({ liveKeys: 0 });
  });
});
