import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Permission, permissionBit, type Person } from "@/lib/access";
import { db, pool } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { finishInvalidations, invalidationKind } from "@/lib/platform/records";
import { redis, redisReady } from "@/lib/platform/redis";
import { rememberPerson, tenantRecordKey, userRecordKey } from "@/lib/tenants";
import { checkCall, createKey, revokeKey, updateKey } from ".";
import { checkScript } from "./check.lua";
import { keyRecordByHash, keyRecordById } from "./key-records";
import { CreateKeyInput, UpdateKeyInput } from "./schemas";
import { checksumOf, hashSecret, newSecret, storedHashOf } from "./secret";

const ip = () => `10.${rnd()}.${rnd()}.${rnd()}`;
const rnd = () => Math.floor(Math.random() * 250) + 1;
const create = (person: Person, input: object = {}) => createKey(contextOf(person), CreateKeyInput.parse({ name: "k", ...input }));
const check = (secret: string, permission?: Permission, from: string | null = null) => checkCall({ kind: "secret", secret }, { ip: from, ...(permission && { permission }) });
const codeOf = (verdict: Awaited<ReturnType<typeof check>>) => (verdict.ok ? "ok" : verdict.error.code);

describe("the key check", () => {
  afterEach(() => { vi.restoreAllMocks(); setEnv(undefined); });

  it("a good key is admitted as its owner, and the answer tells how the tightest limit stands", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person, { rateLimit: { requests: 100, window: 3600 } });
    const verdict = await check(secret, "ai:predict");
    expect(verdict).toMatchObject({ ok: true, person: { userId: person.userId, sub: person.sub, tenant: person.tenant }, apiKeyId: key.id, rateLimit: { requests: 100, window: 3600 }, degraded: false });
    expect(verdict.headers).toMatchObject({ "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99", "RateLimit-Policy": '"key";q=100;w=3600', RateLimit: '"key";r=99;t=3600' });
    expect(Math.abs(Number(verdict.headers["X-RateLimit-Reset"]) - Date.now() / 1000 - 3600)).toBeLessThan(3);
  });

  it("a warm key costs one Redis command and no query", async () => {
    const { secret } = await create(await aPerson());
    await check(secret);
    const query = vi.spyOn(pool(), "query");
    const send = vi.spyOn(redis(), "sendCommand");
    expect((await check(secret)).ok).toBe(true);
    expect(query).not.toHaveBeenCalled();
    expect(send.mock.calls.map(([command]) => command.name)).toEqual(["evalsha"]);
  });

  it("many cold checks of one key read the database once", async () => {
    const { key, secret } = await create(await aPerson());
    await check(secret);
    await redis().del(keyRecordByHash(hashSecret(secret)), userRecordKey(key.userId));
    const query = vi.spyOn(pool(), "query");
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => check(secret)));
    expect(verdicts.every((v) => v.ok)).toBe(true);
    expect(query.mock.calls).toHaveLength(2);
  });

  it("malformed keys and wrong checksums cost no I/O", async () => {
    const good = newSecret().value;
    const query = vi.spyOn(pool(), "query");
    const send = vi.spyOn(redis(), "sendCommand");
    const wrong = good.slice(0, -1) + (good.endsWith("0") ? "1" : "0");
    for (const secret of ["", "x", "slk_short", good.slice(1), `${good}0`, wrong, "kaa_zz", "a".repeat(10_000), "slk_\u0000"]) expect(codeOf(await check(secret, undefined, ip()))).toBe("invalid_credentials");
    expect(query).not.toHaveBeenCalled();
    expect(send).not.toHaveBeenCalled();
  });

  it("an unknown key is refused, and remembered as unknown for seconds only", async () => {
    const { value, hash } = newSecret();
    expect(codeOf(await check(value))).toBe("invalid_credentials");
    const query = vi.spyOn(pool(), "query");
    expect(codeOf(await check(value))).toBe("invalid_credentials");
    expect(query).not.toHaveBeenCalled();
    expect(await redis().ttl(keyRecordByHash(hash))).toBeLessThanOrEqual(5);
  });

  it("what the check remembers of a key, its owner and their tenant is remembered for a minute at most", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await Promise.all([check(secret), checkCall({ kind: "key", apiKeyId: key.id }, { ip: null })]);
    for (const record of [keyRecordByHash(hashSecret(secret)), keyRecordById(key.id), userRecordKey(person.userId), tenantRecordKey(person.tenantId)]) {
      const ms = await redis().pttl(record);
      expect([ms > 50_000, ms <= 60_000], `${record}: ${ms} ms`).toEqual([true, true]);
    }
  });

  it("keys of earlier systems work by their hash", async () => {
    const person = await aPerson();
    for (const secret of [`kaa_${"0123456789abcdef".repeat(4)}${""}`.replace(/.{8}$/, randomUUID().slice(0, 8)), `flash_${randomUUID()}`]) {
      const { key } = await create(person);
      await db().apiKey.update({ where: { id: key.id }, data: { secretHash: hashSecret(secret) } });
      expect(codeOf(await check(secret))).toBe("ok");
    }
  });

  it("keys that were hashed without their prefix work too, are loaded once, and a revoked one is revoked", async () => {
    const person = await aPerson();
    const rest = randomUUID();
    const { key } = await create(person);
    await db().apiKey.update({ where: { id: key.id }, data: { secretHash: storedHashOf({ sha256: hashSecret(rest), hashed: "afterPrefix", prefix: "flash_" }) } });
    expect(codeOf(await check(`flash_${rest}`))).toBe("ok");
    const query = vi.spyOn(pool(), "query");
    expect(codeOf(await check(`flash_${rest}`))).toBe("ok");
    expect(query).not.toHaveBeenCalled();
    for (const other of [`kaa_${hashSecret(rest)}`, `flash_x${rest}`, `flash_flash_${rest}`]) expect(codeOf(await check(other)), other).toBe("invalid_credentials");
    await revokeKey(contextOf(person), key.id);
    expect(codeOf(await check(`flash_${rest}`))).toBe("key_revoked");
  });

  it("with cost 0 another moment can be asked for, and nothing is taken or counted", async () => {
    const { key, secret } = await create(await aPerson(), { expiresIn: 3600, rateLimit: { requests: 1, window: 60 } });
    const ask = (atMs: number) => checkCall({ kind: "key", apiKeyId: key.id }, { ip: "any", cost: 0, at: Date.now() + atMs });
    expect(codeOf(await check(secret))).toBe("ok");
    expect([codeOf(await ask(0)), codeOf(await ask(61_000)), codeOf(await ask(3_700_000))]).toEqual(["rate_limited", "ok", "key_expired"]);
    const later = await ask(3_700_000);
    expect(!later.ok && later.error.options.decision).toEqual({ check: "expired", seen: expect.stringMatching(/Z$/), limit: key.expiresAt });
  });

  it("each refusal has its own code, in the contract's order, and takes nothing from the limit", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person, { rateLimit: { requests: 5, window: 3600 } });
    const owner = contextOf(person);
    const lacking = await check(secret, "nflow:write");
    expect(lacking).toMatchObject({ ok: false, error: { code: "insufficient_permission" }, apiKeyId: key.id });
    expect(lacking.headers["X-RateLimit-Remaining"]).toBe("5");
    await updateKey(owner, key.id, UpdateKeyInput.parse({ isActive: false }));
    expect(codeOf(await check(secret, "nflow:write"))).toBe("key_disabled");
    await db().apiKey.update({ where: { id: key.id }, data: { expiresAt: new Date(Date.now() - 1000) } });
    await redis().del(keyRecordByHash(hashSecret(secret)));
    expect(codeOf(await check(secret))).toBe("key_expired");
    await revokeKey(owner, key.id);
    expect(codeOf(await check(secret))).toBe("key_revoked");
    expect(await redis().exists(`sl:l:k:${key.id}:3600:e`)).toBe(0);
  });

  it("a key ends with its owner: disabled, moved to another tenant, tenant disabled, no role", async () => {
    const person = await aPerson();
    const { secret } = await create(person);
    const identity = { issuer: person.issuer, sub: person.sub, username: person.username, email: person.email, emailVerified: true, name: person.name, role: "user" as const, tenant: person.tenant };
    expect(codeOf(await check(secret))).toBe("ok");
    await rememberPerson({ ...identity, tenant: `other-${person.sub}` });
    expect(codeOf(await check(secret))).toBe("owner_disabled");
    await rememberPerson({ ...identity, role: null });
    expect(codeOf(await check(secret))).toBe("insufficient_permission");
    await rememberPerson(identity);
    expect(codeOf(await check(secret))).toBe("ok");
    await db().user.update({ where: { id: person.userId }, data: { isActive: false } });
    await redis().del(userRecordKey(person.userId));
    expect(codeOf(await check(secret))).toBe("owner_disabled");
    await db().user.update({ where: { id: person.userId }, data: { isActive: true } });
    await db().tenant.update({ where: { id: person.tenantId }, data: { isActive: false } });
    await redis().del(userRecordKey(person.userId), `sl:t:${person.tenantId}`);
    expect(codeOf(await check(secret))).toBe("owner_disabled");
  });

  it("a role taken away takes the key's permission with it, at the next call", async () => {
    const person = await aPerson({ role: "admin" });
    const { secret } = await create(person, { permissions: ["*"] });
    expect(codeOf(await check(secret, "admin:users"))).toBe("ok");
    await rememberPerson({ issuer: person.issuer, sub: person.sub, username: person.username, email: person.email, emailVerified: true, name: person.name, role: "viewer", tenant: person.tenant });
    expect(codeOf(await check(secret, "admin:users"))).toBe("insufficient_permission");
    const verdict = await check(secret, "ai:predict");
    expect(verdict.ok && (verdict.permissions & permissionBit("nflow:write"))).toBe(0);
  });

  it("two hundred calls at once on a limit of ten admit ten, and the rest hear when to come back", async () => {
    const { secret } = await create(await aPerson(), { rateLimit: { requests: 10, window: 60 } });
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => check(secret)));
    const refused = verdicts.filter((v) => !v.ok);
    expect(refused).toHaveLength(190);
    expect(refused[0]).toMatchObject({ error: { code: "rate_limited", options: { retryAfterSeconds: 60 } }, headers: { "X-RateLimit-Remaining": "0", "RateLimit-Policy": '"key";q=10;w=60' } });
  });

  it("the owner's and the tenant's limits hold over all keys, are named when they refuse, and nothing is taken then", async () => {
    setEnv({ ...env(), USER_RATE_LIMIT: { requests: 3, window: 60 }, TENANT_RATE_LIMIT: { requests: 5, window: 60 } });
    const person = await aPerson();
    const other = await aPerson({ tenant: person.tenant });
    const [a, b, c] = [await create(person), await create(person), await create(other)];
    expect([await check(a.secret), await check(b.secret), await check(a.secret)].map(codeOf)).toEqual(["ok", "ok", "ok"]);
    const refused = await check(b.secret);
    expect(refused).toMatchObject({ ok: false, error: { code: "rate_limited" } });
    expect(refused.headers["RateLimit-Policy"]).toBe('"user";q=3;w=60');
    expect([await check(c.secret), await check(c.secret), await check(c.secret)].map(codeOf)).toEqual(["ok", "ok", "rate_limited"]);
    expect((await check(c.secret)).headers["RateLimit-Policy"]).toBe('"tenant";q=5;w=60');
    expect((await db().apiKey.count({ where: { id: a.key.id } }))).toBe(1);
  });

  it("looking costs nothing", async () => {
    const { secret, key } = await create(await aPerson(), { rateLimit: { requests: 2, window: 60 } });
    for (let i = 0; i < 5; i++) expect(codeOf(await checkCall({ kind: "secret", secret }, { ip: null, cost: 0 }))).toBe("ok");
    expect(await redis().exists(`sl:l:k:${key.id}:60:e`)).toBe(0);
  });

  it("a revoked key is refused by every process once revocation has answered, and a slow reader cannot bring it back", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await check(secret);
    const record = keyRecordByHash(hashSecret(secret));
    const old = await redis().get(record);
    expect(old).toContain(key.id);
    await revokeKey(contextOf(person), key.id);
    expect(await redis().get(record)).toBeNull();
    const { writeRecord } = await import("@/lib/platform/records");
    expect(await writeRecord(record, 1, (old ?? "").split("|").slice(1).join("|"))).toBe(false);
    expect(codeOf(await check(secret))).toBe("key_revoked");
  });

  it("a revocation that Redis did not confirm is 503, and the outbox carries it out", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await check(secret);
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
    await expect(revokeKey(contextOf(person), key.id)).rejects.toMatchObject({ code: "store_unavailable" });
    vi.restoreAllMocks();
    expect(codeOf(await check(secret)), "the old copy still stands").toBe("ok");
    await finishInvalidations();
    expect(codeOf(await check(secret))).toBe("key_revoked");
    const rows = await db().outbox.findMany({ where: { kind: invalidationKind } });
    expect(rows.filter((row) => JSON.stringify(row.payload).includes(key.id) && !row.doneAt)).toEqual([]);
  });

  it("what another Redis wrote is a miss", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person);
    await check(secret);
    const record = keyRecordByHash(hashSecret(secret));
    const packed = ((await redis().get(record)) ?? "").split("|").slice(1).join("|");
    await db().apiKey.update({ where: { id: key.id }, data: { revokedAt: new Date() } });
    await redis().set(record, `${"0".repeat(40)}|${packed}`);
    expect(codeOf(await check(secret))).toBe("key_revoked");
  });

  it("a bad record fails its own item of a batch only, and heals by itself", async () => {
    await redisReady();
    const person = await aPerson();
    const [good, bad] = [await create(person), await create(person)];
    await Promise.all([check(good.secret), check(bad.secret)]);
    const [goodKey, badKey] = [keyRecordByHash(hashSecret(good.secret)), keyRecordByHash(hashSecret(bad.secret))];
    const runId = ((await redis().get(goodKey)) ?? "").split("|")[0] ?? "";
    await redis().del(badKey);
    await redis().lpush(badKey, "not a string");
    const arg = "k|0|2147483647|1|||||";
    const out = await redis().eval(checkScript.source, 3, badKey, goodKey, keyRecordById(randomUUID()), runId, "600|60", arg, arg, arg) as string[];
    expect(out[0]).toMatch(/^X\|/);
    expect(out[2]).toMatch(/^R\|ok\|/);
    expect(out[4]).toBe("M");
    expect(codeOf(await check(bad.secret))).toBe("ok");
    for (const garbage of ["", "x", `${runId}|garbage`, `${runId}|a|b|c|a|0|0|0`]) {
      await redis().set(badKey, garbage);
      expect(codeOf(await check(bad.secret)), garbage).toBe("ok");
    }
    await redis().set(userRecordKey(person.userId), `${runId}|1|255|9|9|${person.tenantId}|{"not":"a person"}`);
    expect(codeOf(await check(good.secret))).toBe("ok");
  });

  it("guessing is limited by address, while a good key from there goes on", async () => {
    setEnv({ ...env(), AUTH_FAILURE_LIMIT: { requests: 3, window: 60 } });
    const from = ip();
    const { secret } = await create(await aPerson());
    await check(secret, undefined, from);
    const guesses = [];
    for (let i = 0; i < 4; i++) guesses.push(codeOf(await check(newSecret().value, undefined, from)));
    expect(guesses).toEqual(["invalid_credentials", "invalid_credentials", "invalid_credentials", "rate_limited"]);
    const query = vi.spyOn(pool(), "query");
    expect(await check(newSecret().value, undefined, from)).toMatchObject({ ok: false, error: { code: "rate_limited" } });
    expect(query, "no guess over the limit reaches the database").not.toHaveBeenCalled();
    expect(codeOf(await check(secret, undefined, from))).toBe("ok");
    const typo = (body: string) => body + [...checksumOf(body)].reverse().join("");
    const wrong = typo(newSecret().value.slice(0, -6));
    const other = ip();
    expect((await Promise.all(Array.from({ length: 4 }, () => check(wrong, undefined, other)))).map(codeOf).filter((c) => c === "rate_limited")).toHaveLength(1);
  });

  it("a gateway token counts against its key's limit, carries no more than it says, and ends with key and family", async () => {
    const person = await aPerson();
    const { key, secret } = await create(person, { rateLimit: { requests: 3, window: 60 }, permissions: ["chatflows:read", "ai:predict"] });
    const familyId = randomUUID();
    await db().tokenFamily.create({ data: { id: familyId, tenantId: person.tenantId, userId: person.userId, apiKeyId: key.id, permissions: [], expiresAt: new Date(Date.now() + 60_000) } });
    const byToken = (permission?: Permission) => checkCall({ kind: "key", apiKeyId: key.id, familyId, permissions: permissionBit("chatflows:read") }, { ip: null, ...(permission && { permission }) });
    expect(codeOf(await byToken("chatflows:read"))).toBe("ok");
    expect(codeOf(await byToken("ai:predict"))).toBe("insufficient_permission");
    expect([await check(secret), await byToken(), await check(secret)].map(codeOf)).toEqual(["ok", "ok", "rate_limited"]);
    expect(codeOf(await checkCall({ kind: "key", apiKeyId: key.id, familyId: randomUUID() }, { ip: null }))).toBe("invalid_credentials");
    await revokeKey(contextOf(person), key.id);
    expect(codeOf(await byToken())).toBe("key_revoked");
  });

  it("a person without a key is held by their own limit, and that is what the headers speak of", async () => {
    setEnv({ ...env(), USER_RATE_LIMIT: { requests: 2, window: 60 }, TENANT_RATE_LIMIT: { requests: 1, window: 60 } });
    const alone = await aPerson();
    expect((await checkCall({ kind: "user", userId: alone.userId }, { ip: null })).headers["RateLimit-Policy"]).toBe('"user";q=2;w=60');
    expect((await checkCall({ kind: "user", userId: alone.userId }, { ip: null })).headers["RateLimit-Policy"]).toBe('"tenant";q=1;w=60');
    setEnv({ ...env(), USER_RATE_LIMIT: { requests: 2, window: 60 }, TENANT_RATE_LIMIT: { requests: 1000, window: 60 } });
    const { userId } = await aPerson();
    const byUser = () => checkCall({ kind: "user", userId }, { ip: null, permission: "chatflows:read" });
    const verdicts = [await byUser(), await byUser(), await byUser()];
    expect(verdicts.map(codeOf)).toEqual(["ok", "ok", "rate_limited"]);
    expect(verdicts[0]?.headers["RateLimit-Policy"]).toBe('"user";q=2;w=60');
    expect(codeOf(await checkCall({ kind: "user", userId: randomUUID() }, { ip: null }))).toBe("invalid_credentials");
  });
});
