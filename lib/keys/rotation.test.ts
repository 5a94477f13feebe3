import { afterEach, describe, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { takeTurns } from "@/dev/testing/usage";
import type { Person } from "@/lib/access";
import { db, pool } from "@/lib/platform/db";
import { redis } from "@/lib/platform/redis";
import { checkCall, createKey, endQuietOverlaps, endRotation, getKey, revokeKey, rotateKey, updateKey } from ".";
import { keyRecordByHash, keyRecordById } from "./key-records";
import { CreateKeyInput, UpdateKeyInput } from "./schemas";
import { hashSecret } from "./secret";

const create = (person: Person, input: object = {}) => createKey(contextOf(person), CreateKeyInput.parse({ name: "k", ...input }));
const check = (secret: string) => checkCall({ kind: "secret", secret }, { ip: null });
const codeOf = async (secret: string) => {
  const verdict = await check(secret);
  return verdict.ok ? "ok" : verdict.error.code;
};
const hourOverlap = { overlapSeconds: 3600 };

describe("rotating a key", () => {
  afterEach(() => { vi.restoreAllMocks(); });

  it("keeps the id and gives a new secret; both work until the overlap is ended, and then the old one is told from a guess", async () => {
    const person = await aPerson();
    const ctx = contextOf(person);
    const { key, secret } = await create(person);
    await check(secret);
    const rotated = await rotateKey(ctx, key.id, hourOverlap);
    expect(rotated.key).toMatchObject({ id: key.id, name: "k", rotation: { previousSecretLastUsedAt: null } });
    expect(rotated.key.start).not.toBe(key.start);
    expect(rotated.secret).not.toBe(secret);
    const [now, before] = [await check(rotated.secret), await check(secret)];
    expect(now).toMatchObject({ ok: true, apiKeyId: key.id });
    expect(now).not.toHaveProperty("earlierSecret");
    expect(before).toMatchObject({ ok: true, apiKeyId: key.id, earlierSecret: true });
    expect((await endRotation(ctx, key.id)).rotation).toBeNull();
    expect([await codeOf(rotated.secret), await codeOf(secret)]).toEqual(["ok", "key_rotated"]);
  });

  it("an end that Redis did not confirm is 503; said again it is done", async () => {
    const ctx = contextOf(await aPerson());
    const { key, secret } = await createKey(ctx, CreateKeyInput.parse({ name: "k" }));
    await rotateKey(ctx, key.id, hourOverlap);
    expect(await codeOf(secret)).toBe("ok");
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
    await expect(endRotation(ctx, key.id)).rejects.toMatchObject({ code: "store_unavailable" });
    vi.restoreAllMocks();
    expect(await codeOf(secret), "the old copy still stands").toBe("ok");
    await endRotation(ctx, key.id);
    expect(await codeOf(secret)).toBe("key_rotated");
    expect(await db().auditEvent.count({ where: { action: "key.rotation_ended", targetId: key.id } })).toBe(1);
  });

  it("both secrets share one limit", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person, { rateLimit: { requests: 3, window: 3600 } });
    const rotated = await rotateKey(contextOf(person), key.id, hourOverlap);
    expect([await codeOf(secret), await codeOf(rotated.secret), await codeOf(secret), await codeOf(rotated.secret)]).toEqual(["ok", "ok", "ok", "rate_limited"]);
  });

  it("every earlier secret is told from a guess, however often the key was rotated", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    const secrets = [secret];
    for (let i = 0; i < 3; i++) secrets.push((await rotateKey(contextOf(person), key.id, { overlapSeconds: 0 })).secret);
    expect(await Promise.all(secrets.map(codeOf))).toEqual(["key_rotated", "key_rotated", "key_rotated", "ok"]);
  });

  it("an overlap ends by itself, in a warm record too, with nobody having to clean up", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await rotateKey(contextOf(person), key.id, { overlapSeconds: 1 });
    expect(await codeOf(secret)).toBe("ok");
    await expect.poll(() => codeOf(secret), { timeout: 5000 }).toBe("key_rotated");
    expect((await getKey(contextOf(person), key.id)).rotation).toBeNull();
  });

  it("while an overlap runs there is no second one", async () => {
    const person = await aPerson();
    const { key } = await create(person);
    await rotateKey(contextOf(person), key.id, hourOverlap);
    await expect(rotateKey(contextOf(person), key.id, hourOverlap)).rejects.toMatchObject({ code: "conflict" });
  });

  it("ten rotations at once make one new secret", async () => {
    const person = await aPerson();
    const { key } = await create(person);
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => rotateKey(contextOf(person), key.id, hourOverlap)));
    expect(all.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect(await db().earlierSecret.count({ where: { apiKeyId: key.id } })).toBe(1);
  });

  it("revoking and disabling the key reach the earlier secret at once, from a warm record", async () => {
    const person = await aPerson();
    const ctx = contextOf(person);
    const { key, secret } = await create(person);
    const rotated = await rotateKey(ctx, key.id, hourOverlap);
    expect([await codeOf(secret), await codeOf(rotated.secret)]).toEqual(["ok", "ok"]);
    await updateKey(ctx, key.id, UpdateKeyInput.parse({ isActive: false }));
    expect([await codeOf(secret), await codeOf(rotated.secret)]).toEqual(["key_disabled", "key_disabled"]);
    await updateKey(ctx, key.id, UpdateKeyInput.parse({ isActive: true }));
    expect(await codeOf(secret)).toBe("ok");
    await revokeKey(ctx, key.id);
    expect([await codeOf(secret), await codeOf(rotated.secret)]).toEqual(["key_revoked", "key_revoked"]);
    await expect(rotateKey(ctx, key.id, hourOverlap)).rejects.toMatchObject({ code: "conflict" });
  });

  it("a slow reader cannot write an ended overlap back", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await rotateKey(contextOf(person), key.id, hourOverlap);
    await check(secret);
    const pointer = keyRecordByHash(hashSecret(secret));
    await redis().del(pointer);
    const original = pool().query.bind(pool());
    // The row is read while the overlap runs, and written to Redis after it was ended.
    vi.spyOn(pool(), "query").mockImplementation((async (...args: unknown[]) => {
      const rows: unknown = await (original as (...a: unknown[]) => Promise<unknown>)(...args);
      if ((args[0] as { name?: string }).name === "key-by-secret") {
        vi.restoreAllMocks();
        await endRotation(contextOf(person), key.id);
      }
      return rows;
    }) as never);
    await check(secret);
    expect(await codeOf(secret)).toBe("key_rotated");
  });

  it("the copies in Redis are a pointer and the key's own record", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await rotateKey(contextOf(person), key.id, hourOverlap);
    await check(secret);
    expect(await redis().get(keyRecordByHash(hashSecret(secret)))).toMatch(new RegExp(`\\|>${key.id}\\|\\d+$`));
    expect(await redis().get(keyRecordById(key.id))).toContain(`|${key.id}|`);
  });

  it("another tenant's person, and a viewer, rotate nothing", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await expect(rotateKey(contextOf(await aPerson()), key.id, hourOverlap)).rejects.toMatchObject({ code: "not_found" });
    await expect(endRotation(contextOf(await aPerson()), key.id)).rejects.toMatchObject({ code: "not_found" });
    await expect(rotateKey(contextOf({ ...person, role: "viewer" }), key.id, hourOverlap)).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await codeOf(secret)).toBe("ok");
    expect(await db().earlierSecret.count({ where: { apiKeyId: key.id } })).toBe(0);
  });
});

describe("an overlap that is to end when it is quiet", () => {
  takeTurns();

  it("a secret that was quiet for as long as its owner said ends, one that is used goes on", async () => {
    const person = await aPerson();
    const [quiet, used] = [await create(person), await create(person)];
    for (const { key } of [quiet, used]) await rotateKey(contextOf(person), key.id, { ...hourOverlap, endWhenQuietSeconds: 60 });
    await pool().query(`UPDATE "EarlierSecret" SET "rotatedAt" = now() - interval '5 minutes' WHERE "apiKeyId" = ANY($1)`, [[quiet.key.id, used.key.id]]);
    await pool().query(`UPDATE "EarlierSecret" SET "lastUsedAt" = now() - interval '30 seconds' WHERE "apiKeyId" = $1`, [used.key.id]);
    // A look that is no use, or it would not be quiet.
    expect((await checkCall({ kind: "secret", secret: quiet.secret }, { ip: null, cost: 0 })).ok).toBe(true);
    await endQuietOverlaps();
    expect([await codeOf(quiet.secret), await codeOf(used.secret)]).toEqual(["key_rotated", "ok"]);
  });
});
