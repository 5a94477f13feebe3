import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { env, setEnv } from "@/lib/platform/env";
import { redis, redisReady, redisRunId } from "@/lib/platform/redis";
import { usageStream } from "@/lib/usage";
import { checkCall, createKey } from ".";
import { askRedis, type CheckItem, type CheckReply } from "./check-batch";
import { keyRecordByHash } from "./key-records";
import { CreateKeyInput } from "./schemas";
import { hashSecret } from "./secret";

const evalshas = (send: { mock: { calls: unknown[][] } }) => send.mock.calls.map(([command]) => (command as { name: string }).name).filter((name) => name.startsWith("eval"));
const good = async (input: object = {}) => createKey(contextOf(await aPerson()), CreateKeyInput.parse({ name: "k", ...input }));
const check = (secret: string) => checkCall({ kind: "secret", secret }, { ip: null });

afterEach(() => { vi.restoreAllMocks(); setEnv(undefined); });

describe("checks of one turn of the event loop", () => {
  it("travel in one script call, at most 64 in each", async () => {
    const { secret } = await good({ rateLimit: { requests: 1000, window: 3600 } });
    await check(secret);
    const send = vi.spyOn(redis(), "sendCommand");
    const verdicts = await Promise.all(Array.from({ length: 130 }, () => check(secret)));
    expect(verdicts.every((v) => v.ok)).toBe(true);
    expect(evalshas(send)).toEqual(["evalsha", "evalsha", "evalsha"]);
  });

  it("as the reference, each travels alone", async () => {
    const { secret } = await good();
    await check(secret);
    setEnv({ ...env(), KEY_CHECKS: "single" });
    const send = vi.spyOn(redis(), "sendCommand");
    await Promise.all(Array.from({ length: 5 }, () => check(secret)));
    expect(evalshas(send)).toHaveLength(5);
  });

  it("of 200 at once under a limit of 20, exactly 20 are admitted", async () => {
    const { secret } = await good({ rateLimit: { requests: 20, window: 3600 } });
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => check(secret)));
    expect(verdicts.filter((v) => v.ok)).toHaveLength(20);
    expect(verdicts.filter((v) => !v.ok && v.error.code === "rate_limited")).toHaveLength(180);
  });

  it("a bad record fails its own item only", async () => {
    const [one, other] = await Promise.all([good(), good()]);
    await Promise.all([check(one.secret), check(other.secret)]);
    const broken = keyRecordByHash(hashSecret(one.secret));
    await redis().multi().del(broken).rpush(broken, "not a string").exec();
    const item = (secret: string): CheckItem => ({ key: keyRecordByHash(hashSecret(secret)), arg: "k|0|2147483647|1|||||" });
    const [bad, fine] = await Promise.all([askRedis(item(one.secret)), askRedis(item(other.secret))]);
    expect(bad.packed).toMatch(/^X\|/);
    expect(fine.packed).toMatch(/^R\|ok\|/);
  });

  it("go on after SCRIPT FLUSH, with nobody refused and nothing taken twice", async () => {
    const { secret } = await good({ rateLimit: { requests: 100, window: 3600 } });
    await check(secret);
    await redis().script("FLUSH");
    const verdicts = await Promise.all(Array.from({ length: 10 }, () => check(secret)));
    expect(verdicts.map((v) => v.ok)).not.toContain(false);
    expect(verdicts.at(-1)?.headers["X-RateLimit-Remaining"]).toBe("89");
  });

  it("go on after the connection was lost", async () => {
    const { secret } = await good();
    await check(secret);
    redis().disconnect(true);
    await redisReady();
    expect((await Promise.all([check(secret), check(secret)])).map((v) => v.ok)).toEqual([true, true]);
  });

  it("leave one usage entry for the whole batch", async () => {
    const { secret } = await good();
    await check(secret);
    const before = (await redis().xrevrange(usageStream, "+", "-", "COUNT", 1))[0]?.[0] ?? "-";
    const [, , apiKeyId] = (await Promise.all([check(secret), check(secret), check(secret)])).map((v) => v.apiKeyId);
    const entries = (await redis().xrange(usageStream, `(${before}`, "+")).filter(([, fields]) => fields.join().includes(apiKeyId ?? "?"));
    expect(entries.map(([, fields]) => fields)).toEqual([["c", Array(3).fill(`${apiKeyId}:ok`).join(",")]]);
  });
});

/**
 * A small world of records, written twice under other names: one is asked together, the other one by one. Everything
 * that a record can be is in it, also what no version of ours would write.
 */
const state = fc.constantFrom("a", "a", "a", "d", "r");
const limit = fc.constantFrom({ requests: 2, seconds: 3600 }, { requests: 1000, seconds: 3600 }, { requests: 10, seconds: 600 });
const oneIn = (n: number) => fc.integer({ min: 1, max: n }).map((i) => i === 1);
const world = fc.record({
  tenants: fc.array(fc.record({ enabled: oneIn(5).map((off) => !off), limit, broken: oneIn(8) }), { minLength: 2, maxLength: 2 }),
  people: fc.array(fc.record({ tenant: fc.nat(1), enabled: oneIn(6).map((off) => !off), roles: fc.constantFrom(0, 7, 0x7fffffff), limit, broken: fc.constantFrom("", "", "", "", "missing", "list", "garbage") }), { minLength: 3, maxLength: 3 }),
  keys: fc.array(fc.record({ person: fc.nat(2), tenant: fc.nat(1), state, expires: fc.constantFrom(0, 0, 0, 1000, 4102444800000), permissions: fc.constantFrom(1, 7, 0x7fffffff), limit, broken: fc.constantFrom("", "", "", "", "missing", "list", "garbage", "unknown", "other-redis"),
    flows: fc.constantFrom("", "", "one,two"), ranges: fc.constantFrom("", "", "40a000000/8", "620010db8000000000000000000000000/32,4c0000200/25"), generation: fc.constantFrom(0, 1, 2), earlierEnd: fc.constantFrom(0, 1000, 4102444800000) }), { minLength: 4, maxLength: 4 }),
  pointers: fc.array(fc.record({ key: fc.nat(3), end: fc.constantFrom(1000, 4102444800000) }), { minLength: 2, maxLength: 2 }),
  families: fc.array(fc.constantFrom("1|", "1|0", "1|1", "0|"), { minLength: 2, maxLength: 2 }),
});
const call = fc.record({ from: fc.constantFrom("key", "key", "key", "pointer", "other", "person"), index: fc.nat(3), need: fc.constantFrom(0, 1, 4, 1024), most: fc.constantFrom(0x7fffffff, 3), cost: fc.constantFrom(1, 1, 1, 0), family: fc.constantFrom(-1, -1, 0, 1), address: fc.constantFrom(0, 0, 1, 2), packed: fc.constantFrom("", "*", "40a010203", "4c0000205", "4c0000285", "620010db8000000000000000000000001"), at: fc.constantFrom("", "500", "4102444800001") });
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never;

async function build(name: string, { tenants, people, keys, pointers, families }: World): Promise<void> {
  const run = await redisRunId();
  const pipeline = redis().pipeline();
  const put = (key: string, packed: string, broken: string | boolean = "") => {
    if (broken === "missing") return;
    if (broken === "list") pipeline.rpush(key, "x");
    else if (broken === "unknown") pipeline.set(key, `${run}|-`);
    else if (broken === "other-redis") pipeline.set(key, `${run.replace(/./g, "f")}|${packed}`);
    else pipeline.set(key, `${run}|${broken ? "garbage" : packed}`);
    pipeline.expire(key, 600);
  };
  tenants.forEach((t, i) => put(`sl:t:${name}t${i}`, `${t.enabled ? 1 : 0}|${t.limit.requests}|${t.limit.seconds}`, t.broken));
  people.forEach((p, i) => put(`sl:u:${name}u${i}`, `${p.enabled ? 1 : 0}|${p.roles}|${p.limit.requests}|${p.limit.seconds}|${name}t${p.tenant}|{"n":"${name}"}`, p.broken));
  keys.forEach((k, i) => put(`sl:k:i:${name}k${i}`, [`${name}k${i}`, `${name}t${k.tenant}`, `${name}u${k.person}`, k.state, k.expires, k.permissions, k.limit.requests, k.limit.seconds, k.flows, k.ranges, k.generation, k.earlierEnd].join("|"), k.broken));
  pointers.forEach((p, i) => put(`sl:k:h:${name}p${i}`, `>${name}k${p.key}|${p.end}`));
  put(`sl:k:h:${name}none`, "-");
  families.forEach((f, i) => put(`sl:f:${name}f${i}`, f));
  await pipeline.exec();
}

const recordOf = (name: string, { from, index }: Call) => {
  if (from === "key") return `sl:k:i:${name}k${index}`;
  if (from === "pointer") return `sl:k:h:${name}p${index % 2}`;
  return from === "other" ? `sl:k:h:${name}none` : `sl:u:${name}u${index % 3}`;
};
const itemsOf = (name: string, calls: Call[]): CheckItem[] => calls.map((c) => ({
  key: recordOf(name, c),
  arg: [c.from === "person" ? "u" : "k", c.need, c.most, c.cost, c.family < 0 ? "" : `${name}f${c.family}`, c.address ? `sl:l:a:${name}${c.address}` : "", c.packed, c.from === "other" && c.index > 0 ? `sl:k:i:${name}k${c.index}` : "", c.at].join("|"),
}));

/** Without what differs by nature, which is the names. Times are told apart from the rest, in ms from the moment of the check. */
function comparable(name: string, { packed, person }: CheckReply): { same: unknown; resetsIn: number; wait: number } {
  const [kind, code, now, ...rest] = packed.replaceAll(name, "").replace(/script: \S+|@user_script:\d+/g, "").split("|");
  if (kind !== "R") return { same: [kind, code], resetsIn: 0, wait: 0 };
  const [reset = 0, wait = 0] = rest.splice(9, 2).map(Number);
  return { same: { code, rest, person: person.replaceAll(name, "") }, resetsIn: Math.max(0, reset - Number(now)), wait };
}

/** A large limit counts in fortieths of its window, of which a new one may begin between two checks. */
const fortiethMs = 3_600_000 / 40;

const atMostInOne = 64;

describe("batched and one by one", () => {
  it("answer alike, whatever the records and calls are", async () => {
    const codes = new Set<string>();
    const alike = fc.asyncProperty(world, fc.array(call, { minLength: 100, maxLength: 150 }), async (records, calls) => {
      const names = { together: `x${randomUUID()}`, alone: `y${randomUUID()}` };
      await Promise.all([build(names.together, records), build(names.alone, records)]);
      const few = { ...env(), AUTH_FAILURE_LIMIT: { requests: 5, window: 3600 } };
      setEnv(few);
      const begun = performance.now();
      const together: CheckReply[] = [];
      const items = itemsOf(names.together, calls);
      // Scripts after one another: of two that are under way, one whose script Redis has just forgotten comes second.
      while (together.length < items.length) together.push(...(await Promise.all(items.slice(together.length, together.length + atMostInOne).map(askRedis))));
      setEnv({ ...few, KEY_CHECKS: "single" });
      const alone: CheckReply[] = [];
      for (const item of itemsOf(names.alone, calls)) alone.push(await askRedis(item));
      setEnv(undefined);
      const apartMs = fortiethMs + Math.ceil(performance.now() - begun);
      for (const { packed } of together) if (packed.startsWith("R|")) codes.add(packed.split("|")[1] ?? "");
      const [those, these] = [together.map((r) => comparable(names.together, r)), alone.map((r) => comparable(names.alone, r))];
      expect(those.map(({ same }) => same)).toEqual(these.map(({ same }) => same));
      for (const time of ["resetsIn", "wait"] as const) expect(those.filter((one, i) => Math.abs(one[time] - (these[i]?.[time] ?? NaN)) <= apartMs)).toHaveLength(these.length);
    });
    // Worlds of which the script reads nothing would answer alike as well: every answer that there is has to come up.
    for (let more = 0; more < 10 && codes.size < 13; more++) await fc.assert(alike, { numRuns: 80, endOnFailure: true });
    expect([...codes].sort()).toEqual(["address", "disabled", "expired", "family", "ip", "limit", "ok", "owner", "permission", "revoked", "role", "rotated", "unknown"]);
  });
});
