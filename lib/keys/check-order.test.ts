import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { permissionMask, permissionNames, type Permission, type Person, type Role } from "@/lib/access";
import type { Prisma } from "@/lib/generated/prisma/client";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { newId } from "@/lib/platform/ids";
import { redis } from "@/lib/platform/redis";
import { tenantRecordKey, userRecordKey } from "@/lib/tenants";
import { checkCall } from ".";
import { checkWithoutRedis } from "./check-without-redis";
import { keyRecordByHash, keyRecordById, type Start } from "./key-records";
import { hashSecret, lookupHashes, newSecret } from "./secret";
import type { CheckOptions, Subject, Verdict } from "./verdict";

// The script and its reference, asked about the same rows. Rows are changed past the verbs, which would not let most of these combinations come about.
let person: Person;
let elsewhere: Person;
beforeAll(async () => { [person, elsewhere] = await Promise.all([aPerson({ role: "admin" }), aPerson()]); });

type OwnerChange = { user?: { isActive?: boolean; role?: Role | null }; tenant?: { isActive: boolean }; moved?: boolean };

/** Everything as it was at first, but for these changes; what Redis knows of it goes with each. */
async function changeOwner(...changes: OwnerChange[]): Promise<void> {
  const { moved } = Object.assign({}, ...changes) as OwnerChange;
  const tenantId = moved ? elsewhere.tenantId : person.tenantId;
  for (const { tenantId: id } of [person, elsewhere]) await db().tenant.update({ where: { id }, data: { isActive: true, ...(id === tenantId && Object.assign({}, ...changes.map(({ tenant }) => tenant))) } });
  await db().user.update({ where: { id: person.userId }, data: { isActive: true, role: "admin", tenantId, ...Object.assign({}, ...changes.map(({ user }) => user)) } });
  await redis().del(userRecordKey(person.userId), tenantRecordKey(person.tenantId), tenantRecordKey(elsewhere.tenantId));
}
beforeEach(() => changeOwner());

type Made = { id: string; secret: string; /** The one before, whose overlap ends or ended. */ earlier: string };

async function aKey(data: Partial<Prisma.ApiKeyUncheckedCreateInput> = {}, overlapEndsAt = new Date(Date.now() + 3_600_000)): Promise<Made> {
  const [secret, earlier] = [newSecret(), newSecret()];
  const id = newId();
  await db().apiKey.create({
    data: {
      id, tenantId: person.tenantId, userId: person.userId, name: "k", secretHash: secret.hash, start: secret.start, last4: secret.last4, permissions: ["*"], rateRequests: 1000, rateWindow: 3600,
      createdByType: "user", secretGeneration: 1, earlierSecrets: { create: { hash: earlier.hash, tenantId: person.tenantId, overlapEndsAt } }, ...data,
    },
  });
  return { id, secret: secret.value, earlier: earlier.value };
}

function startOf(subject: Subject): Start {
  if (subject.kind === "secret") return { by: "hash", ...lookupHashes(subject.secret) };
  return { by: subject.kind === "key" ? "id" : "user", value: subject.kind === "key" ? subject.apiKeyId : subject.userId, ...(subject.familyId && { familyId: subject.familyId }) };
}

/** How each words a limit that it held the caller to. */
const ways = {
  "the script": { ask: (subject: Subject, options: CheckOptions) => checkCall(subject, options), words: (limit: string) => limit },
  "without Redis": { ask: (subject: Subject, options: CheckOptions) => checkWithoutRedis(startOf(subject), subject, options), words: (limit: string) => `${limit}, one process's share while Redis is away` },
};

const decisionOf = (verdict: Verdict) => (verdict.ok ? null : (verdict.error.options.decision ?? verdict.error.code));
const noneLeft = (whose: string) => expect.stringMatching(new RegExp(`^${whose}: none left, next in (3600|35\\d\\d) s$`));

describe.each(Object.entries(ways))("%s", (_, { ask, words }) => {
  afterEach(() => setEnv(undefined));

  const past = new Date(Date.now() - 1000);
  const instant = expect.stringMatching(/^\d{4}-.*Z$/);
  /** Each makes a call with a key's earlier secret fail that was good before, in the contract's order; and what the caller must then be told. */
  const faults: { told: { check: string; seen: unknown; limit: unknown }; key?: Prisma.ApiKeyUncheckedUpdateInput; overlapEnds?: true; owner?: OwnerChange; call?: Partial<CheckOptions>; spent?: true }[] = [
    { told: { check: "revoked", seen: "revoked", limit: "not revoked" }, key: { revokedAt: past } },
    { told: { check: "expired", seen: instant, limit: past.toISOString() }, key: { expiresAt: past } },
    { told: { check: "disabled", seen: "disabled", limit: "enabled" }, key: { disabledAt: past } },
    { told: { check: "rotated", seen: instant, limit: past.toISOString() }, overlapEnds: true },
    { told: { check: "owner", seen: "the tenant is switched off", limit: "enabled" }, owner: { tenant: { isActive: false } } },
    { told: { check: "owner", seen: "the owner is switched off", limit: "enabled" }, owner: { user: { isActive: false } } },
    { told: { check: "owner", seen: "the owner has left the key's tenant", limit: "enabled" }, owner: { moved: true } },
    { told: { check: "role", seen: null, limit: ["admin", "user", "viewer"] }, owner: { user: { role: null } } },
    { told: { check: "address", seen: "192.0.2.1", limit: ["10.0.0.0/8"] }, key: { allowedIps: ["10.0.0.0/8"] } },
    { told: { check: "permission", seen: ["ai:predict"], limit: "nflow:write" }, call: { permission: "nflow:write" } },
    { told: { check: "rate_limit", seen: noneLeft("key"), limit: words("1 in 3600 s") }, spent: true },
  ];

  it("of several reasons to refuse a call the first in the contract's order speaks, and tells what it saw and what it accepts: alone, and any two together", async () => {
    for (const [i, first] of faults.entries()) {
      for (const second of faults.slice(i)) {
        const both = [first, second];
        const made = await aKey({ permissions: ["ai:predict"], ...(both.some(({ spent }) => spent) && { rateRequests: 1 }) });
        const call = (options: Partial<CheckOptions> = {}) => ask({ kind: "secret", secret: made.earlier }, { ip: "192.0.2.1", permission: "ai:predict", ...options });
        expect(decisionOf(await call()), "before").toBeNull();
        if (both.some(({ overlapEnds }) => overlapEnds)) await db().earlierSecret.update({ where: { hash: hashSecret(made.earlier) }, data: { overlapEndsAt: past } });
        await db().apiKey.update({ where: { id: made.id }, data: Object.assign({}, ...both.map(({ key }) => key)) });
        await changeOwner(...both.map(({ owner }) => owner ?? {}));
        await redis().del(keyRecordByHash(hashSecret(made.earlier)), keyRecordById(made.id));
        expect(decisionOf(await call(Object.assign({}, ...both.map((fault) => fault.call)))), both.map(({ told }) => `${told.check} ${String(told.seen)}`).join(" + ")).toEqual(first.told);
        await changeOwner();
      }
    }
  }, 120_000);

  it("the limits of owner and tenant and of failed attempts are told like the key's, and so is a token that ended", async () => {
    setEnv({ ...env(), USER_RATE_LIMIT: { requests: 1, window: 3600 }, AUTH_FAILURE_LIMIT: { requests: 1, window: 3600 } });
    const { userId } = await aPerson();
    const byPerson = () => ask({ kind: "user", userId }, { ip: null });
    expect([decisionOf(await byPerson()), decisionOf(await byPerson())]).toEqual([null, { check: "rate_limit", seen: noneLeft("user"), limit: words("1 in 3600 s") }]);

    setEnv({ ...env(), USER_RATE_LIMIT: { requests: 1000, window: 3600 }, TENANT_RATE_LIMIT: { requests: 1, window: 3600 } });
    const { tenant } = await aPerson();
    const [one, other] = [await aPerson({ tenant }), await aPerson({ tenant })];
    expect(decisionOf(await ask({ kind: "user", userId: one.userId }, { ip: null }))).toBeNull();
    expect(decisionOf(await ask({ kind: "user", userId: other.userId }, { ip: null }))).toEqual({ check: "rate_limit", seen: noneLeft("tenant"), limit: words("1 in 3600 s") });

    const [{ id }, ip] = [await aKey(), `2001:db8:${randomUUID().slice(0, 4)}::1`];
    const guess = (from: string | null) => ask({ kind: "secret", secret: newSecret().value }, { ip: from });
    expect(decisionOf(await guess(null))).toEqual({ check: "known", seen: null, limit: null });
    expect(decisionOf(await ask({ kind: "key", apiKeyId: id, familyId: randomUUID() }, { ip }))).toEqual({ check: "token", seen: "revoked", limit: "alive" });
    expect(decisionOf(await guess(ip))).toEqual({ check: "failures", seen: noneLeft(ip), limit: words("1 in 3600 s") });
  });
});

describe("the script and the check without Redis", () => {
  const now = Date.now();
  const instant = fc.constantFrom(now - 1, now, now + 1, now + 86_400_000).map((ms) => new Date(ms));
  const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
  const [flow, otherFlow] = [randomUUID(), randomUUID()];
  const pattern = fc.constantFrom<string>(...permissionNames, "*", "ai:*", "admin:*", "nflow:*");
  const rows = fc.record({
    key: fc.record({
      permissions: fc.array(pattern, { minLength: 1, maxLength: 5 }), chatflowIds: fc.subarray([flow, otherFlow]), allowedIps: fc.subarray(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/33", "::/0"], { maxLength: 3 }),
      expiresAt: fc.option(instant, { nil: null }), disabledAt: seldom(instant), revokedAt: seldom(instant), secretGeneration: fc.constantFrom(1, 2),
    }),
    overlapEndsAt: instant,
    user: fc.record({ isActive: fc.constantFrom(true, true, true, false), role: fc.constantFrom("admin" as const, "user" as const, "viewer" as const, null) }),
    tenant: fc.record({ isActive: fc.constantFrom(true, true, true, false) }),
    moved: fc.constantFrom(false, false, false, true),
    family: fc.record({ generation: fc.constantFrom(null, 0, 1, 2), revokedAt: seldom(instant), known: fc.constantFrom(true, true, true, false) }),
  });
  const calls = fc.array(fc.record({
    by: fc.constantFrom("secret", "earlier secret", "stranger's secret", "key", "token of the key", "person", "token of the person"),
    most: fc.option(fc.array(pattern, { maxLength: 4 }), { nil: undefined }), permission: fc.option(fc.constantFrom<Permission>(...permissionNames), { nil: undefined }),
    ip: fc.constantFrom("10.1.2.3", "192.0.2.7", "192.0.2.8", "2001:db8:1::1", "2001:db8:8000::1", "::ffff:10.0.0.1", "any" as const, null), at: fc.constantFrom(now - 1, now, now + 1),
  }), { minLength: 6, maxLength: 6 });

  /** All of a verdict but the limits, which either holds in its own way. */
  const told = (verdict: Verdict) => {
    const { headers: _, degraded: _d, ...rest } = verdict;
    if (rest.ok) return rest;
    const { code, detail, options: { decision, extra } } = rest.error;
    return { ...rest, error: { code, detail, decision, extra } };
  };

  it("say the same of any key, owner, token and call", async () => {
    const spoke = new Set<string>();
    await fc.assert(fc.asyncProperty(rows, calls, async ({ key, overlapEndsAt, user, tenant, moved, family }, asked) => {
      await changeOwner({ user, tenant, moved });
      const made = await aKey(key, overlapEndsAt);
      const familyId = randomUUID();
      if (family.known) await db().tokenFamily.create({ data: { id: familyId, tenantId: person.tenantId, userId: person.userId, apiKeyId: made.id, permissions: [], expiresAt: new Date(now + 86_400_000), secretGeneration: family.generation, revokedAt: family.revokedAt } });
      for (const { by, most, permission, ip, at } of asked) {
        const token = { familyId, ...(most && { permissions: permissionMask(most) }) };
        const subject: Subject = by === "key" ? { kind: "key", apiKeyId: made.id } : by === "token of the key" ? { kind: "key", apiKeyId: made.id, ...token }
          : by === "person" ? { kind: "user", userId: person.userId } : by === "token of the person" ? { kind: "user", userId: person.userId, ...token }
          : { kind: "secret", secret: by === "secret" ? made.secret : by === "earlier secret" ? made.earlier : newSecret().value };
        const options: CheckOptions = { ip, at, cost: 0, ...(permission && { permission }) };
        const reference = await ways["without Redis"].ask(subject, options);
        expect(told(await ways["the script"].ask(subject, options))).toEqual(told(reference));
        spoke.add(JSON.stringify(reference.ok || told(reference)).replace(/.*"check":"(\w+)".*/, "$1"));
      }
    }), { numRuns: 60 });
    expect(spoke.size, [...spoke].join(", ")).toBeGreaterThan(6);
  }, 120_000);
});
