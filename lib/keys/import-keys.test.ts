import { randomBytes, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context, Person } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { checkCall, createKey, getKey, importKeyFile, importKeys, revokeKey } from ".";
import { CreateKeyInput, ImportKeyFileInput, ImportKeysInput } from "./schemas";
import { hashSecret } from "./secret";

const escalates = { status: "error", code: "permission_escalation" };
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const secretOfOld = () => `kaa_${randomBytes(32).toString("hex")}`;

/** One key for `owner`, and whatever the import said of it. */
async function importOne(ctx: Context, owner: Person, key: object, secret = secretOfOld(), dryRun = false) {
  const [result] = await importKeys(ctx, ImportKeysInput.parse({ keys: [{ sha256: hashSecret(secret), name: "of old", userId: owner.userId, permissions: ["chatflows:read"], ...key }], dryRun }));
  if (!result) throw new Error("no result");
  return result;
}

/** An administrator's key that may import, and the context of its calls. */
async function anImporter(bounds: object = {}) {
  const admin = await aPerson({ role: "admin" });
  const permissions = ["admin:keys", "chatflows:read", "ai:predict"];
  const { key } = await createKey(contextOf(admin), CreateKeyInput.parse({ name: "importer", permissions, ...bounds }));
  return { admin, key, ctx: contextOf(admin, { apiKeyId: key.id, permissions }), owner: await aPerson() };
}

describe("whoever imports keys gives nothing that they do not have", () => {
  it("no permission: not with a key, not with a token that carries less than its person, nor in a dry run", async () => {
    const { admin, ctx, owner } = await anImporter();
    const byToken = contextOf(admin, { permissions: ["admin:keys", "chatflows:read"] });
    for (const [who, permissions] of [[ctx, ["*"]], [ctx, ["admin"]], [ctx, ["ai:*"]], [ctx, ["chatflows:read", "nflow:write"]], [byToken, ["ai:predict"]], [byToken, ["write"]]] as const) {
      for (const dryRun of [true, false]) {
        const secret = secretOfOld();
        expect(await importOne(who, owner, { permissions }, secret, dryRun), JSON.stringify(permissions)).toMatchObject(escalates);
        expect(await checkCall({ kind: "secret", secret }, { ip: null }), "there is no such key").toMatchObject({ ok: false, error: { code: "invalid_credentials" } });
      }
    }
    expect(await importOne(ctx, owner, { permissions: ["ai:predict"] })).toMatchObject({ status: "imported", userId: owner.userId });
    expect(await importOne(contextOf(admin), owner, { permissions: ["*"] }), "who holds everything gives it").toMatchObject({ status: "imported" });
    expect(await db().apiKey.count({ where: { userId: owner.userId } })).toBe(2);
  });

  it("no chatflow, address or expiry beyond the importing key's own", async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const { ctx, owner, admin } = await anImporter({ chatflowIds: [a, b], allowedIps: ["10.0.0.0/8"], expiresAt: inDays(5) });
    for (const wider of [{ chatflowIds: null }, { chatflowIds: [a, randomUUID()] }, { allowedIps: [] }, { allowedIps: ["11.0.0.0/8"] }, { allowedIps: ["8.0.0.0/6"] }, { expiresAt: null }, { expiresAt: inDays(6) }]) {
      expect(await importOne(ctx, owner, wider), JSON.stringify(wider)).toMatchObject(escalates);
    }
    expect(await db().apiKey.count({ where: { userId: owner.userId } })).toBe(0);
    const narrower = { chatflowIds: [b], allowedIps: ["10.1.0.0/16"], expiresAt: inDays(4) };
    const { id } = await importOne(ctx, owner, narrower);
    expect(await getKey(contextOf(owner), id ?? "")).toMatchObject({ ...narrower, createdBy: { type: "apiKey", id: ctx.actor.type === "apiKey" && ctx.actor.apiKeyId } });
    const open = await importOne(contextOf(admin), owner, { chatflowIds: null, allowedIps: [], expiresAt: null });
    expect(await getKey(contextOf(owner), open.id ?? ""), "a person has no such bounds").toMatchObject({ chatflowIds: null, allowedIps: [], expiresAt: null });
  });

  it("what is left out is inherited from the importing key, in a file as well", async () => {
    const bounds = { chatflowIds: [randomUUID()], allowedIps: ["10.0.0.0/8"], expiresAt: inDays(5) };
    const { ctx, owner } = await anImporter(bounds);
    const secret = secretOfOld();
    expect(await importOne(ctx, owner, {}, secret, true)).toMatchObject({ status: "imported" });
    const { id } = await importOne(ctx, owner, {}, secret);
    const text = `sha256,name,userId,permissions\n${hashSecret(secretOfOld())},of old,${owner.userId},chatflows:read\n`;
    const { results: [fromFile] } = await importKeyFile(ctx, ImportKeyFileInput.parse({ text }));
    for (const imported of [id, fromFile?.id]) expect(await getKey(contextOf(owner), imported ?? "")).toMatchObject({ ...bounds, permissions: ["chatflows:read"] });
    expect(await checkCall({ kind: "secret", secret }, { ip: "192.0.2.1" })).toMatchObject({ ok: false, error: { code: "ip_not_allowed" } });
  });

  it("a key that is revoked in between imports no more", async () => {
    const { admin, key, ctx, owner } = await anImporter();
    await revokeKey(contextOf(admin), key.id);
    expect(await importOne(ctx, owner, {})).toMatchObject({ status: "error", code: "key_revoked" });
  });
});
