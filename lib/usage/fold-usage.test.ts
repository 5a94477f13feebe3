import { describe, expect, it, vi } from "vitest";
import { db, pool } from "@/lib/platform/db";
import { redis } from "@/lib/platform/redis";
import { foldUsage } from ".";
import { usageStream } from "./stream";
import { addCalls, addChecks, aCall, aKey as aFixtureKey, takeTurns } from "@/dev/testing/usage";

takeTurns();

const aKey = async () => (await aFixtureKey()).id;
const add = addChecks;
const rowOf = (id: string) => db().apiKey.findUniqueOrThrow({ where: { id }, select: { requestCount: true, lastUsedAt: true, lastRequestAt: true, updatedAt: true } });

describe("folding usage", () => {
  it("admitted calls count, refused ones only tell when they came, and the key's own change time stays", async () => {
    const id = await aKey();
    const before = await rowOf(id);
    await add(`${id}:ok`, `${id}:ok`);
    const used = await add(`${id}:ok`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const asked = await add(`${id}:limit`, `${id}:revoked`);
    await foldUsage();
    const at = (entry: string) => new Date(Number(entry.split("-")[0]));
    expect(await rowOf(id)).toEqual({ requestCount: 3n, lastUsedAt: at(used), lastRequestAt: at(asked), updatedAt: before.updatedAt });
  });

  it("many workers at once count every call once", async () => {
    const ids = await Promise.all([aKey(), aKey(), aKey()]);
    for (let i = 0; i < 40; i++) await add(...ids.map((id) => `${id}:ok`));
    await Promise.all(Array.from({ length: 5 }, () => foldUsage()));
    await foldUsage();
    for (const id of ids) expect((await rowOf(id)).requestCount).toBe(40n);
  });

  it("whoever has folded, beside however many others, may rely on all that was there being counted", async () => {
    const id = await aKey();
    const backlog = redis().pipeline();
    for (let i = 0; i < 3500; i++) backlog.xadd(usageStream, "*", "c", `${id}:ok`);
    await backlog.exec();
    const counted = await Promise.all(Array.from({ length: 3 }, async () => {
      await foldUsage();
      return (await rowOf(id)).requestCount;
    }));
    expect(counted).toEqual([3500n, 3500n, 3500n]);
  });

  it("entries that a dead worker counted but did not trim are not counted again", async () => {
    const id = await aKey();
    await add(`${id}:ok`);
    vi.spyOn(redis(), "xtrim").mockRejectedValueOnce(new Error("died"));
    await expect(foldUsage()).rejects.toThrow("died");
    expect(await redis().xlen(usageStream)).toBeGreaterThan(0);
    await foldUsage();
    expect((await rowOf(id)).requestCount).toBe(1n);
  });

  it("a worker that dies before its commit loses nothing", async () => {
    const id = await aKey();
    await add(`${id}:ok`);
    await pool().query(`CREATE FUNCTION die_${id.replaceAll("-", "")}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'died'; END $$`);
    await pool().query(`CREATE TRIGGER die BEFORE UPDATE ON "ApiKey" FOR EACH ROW WHEN (OLD.id = '${id}') EXECUTE FUNCTION die_${id.replaceAll("-", "")}()`);
    await expect(foldUsage()).rejects.toThrow("died");
    await pool().query('DROP TRIGGER die ON "ApiKey"');
    expect((await rowOf(id)).requestCount).toBe(0n);
    await foldUsage();
    expect((await rowOf(id)).requestCount).toBe(1n);
  });

  it("what cannot be read is left out and stops nobody else", async () => {
    const id = await aKey();
    await add("garbage", "", ":::", "'; DROP TABLE", `${id}:ok`, "00000000-0000-4000-8000-000000000000:ok");
    await redis().xadd(usageStream, "*", "other", "field");
    await foldUsage();
    expect((await rowOf(id)).requestCount).toBe(1n);
  });

  it("a call with an earlier secret counts as admitted, and as the last use of the secret whose overlap still runs", async () => {
    const { id, person } = await aFixtureKey();
    const secret = (hash: string, endsInMs: number) => db().earlierSecret.create({ data: { hash: hash.repeat(64), apiKeyId: id, tenantId: person.tenantId, overlapEndsAt: new Date(Date.now() + endsInMs) } });
    const [over, running] = [await secret("a", -60_000), await secret("b", 60_000)];
    const entry = await add(`${id}:ok`, `${id}:ok~`);
    await foldUsage();
    expect((await rowOf(id)).requestCount).toBe(2n);
    const used = async (hash: string) => (await db().earlierSecret.findUniqueOrThrow({ where: { hash } })).lastUsedAt;
    expect(await used(running.hash)).toEqual(new Date(Number(entry.split("-")[0])));
    expect(await used(over.hash)).toBeNull();
    await db().earlierSecret.deleteMany({ where: { apiKeyId: id } });
  });

  it("an hour has the checks' admissions and refusals of its key, and of each route what became of the calls", async () => {
    const { id, person } = await aFixtureKey();
    await add(`${id}:ok`, `${id}:ok`, `${id}:ok~`, `${id}:limit`);
    const route = { apiKeyId: id, route: "/api/v1/prediction/:id" };
    await addCalls(aCall(person, { ...route, ms: 4, call: { credits: 3 } }), aCall(person, { ...route, status: 502, ms: 900 }), aCall(person, { apiKeyId: id }));
    // Counted by its check already: only the log hears of it once more.
    await addCalls(aCall(person, { ...route, status: 429, by: { userId: person.userId, tenantId: person.tenantId, apiKeyId: id, refused: true } }));
    await addCalls(aCall(person, { ...route, ms: 5 }));
    await foldUsage();
    const rows = await db().usageRollup.findMany({ where: { apiKeyId: id }, orderBy: { route: "asc" } });
    expect(rows.map(({ route, requests, refused, answered, errors, credits }) => [route, requests, refused, answered, errors, credits])).toEqual([
      ["", 3n, 1n, 0n, 0n, 0n], ["/api/v1/auth/me", 0n, 0n, 1n, 0n, 0n], ["/api/v1/prediction/:id", 0n, 0n, 3n, 1n, 3n],
    ]);
    expect(rows[2]?.latency.reduce((sum, n) => sum + n, 0)).toBe(3);
    expect(await db().requestLog.count({ where: { apiKeyId: id } })).toBe(5);
  });

  it("what a person calls without a key is counted when it has ended", async () => {
    const { person } = await aFixtureKey();
    await addCalls(aCall(person), aCall(person, { status: 404 }), aCall(person, { status: 403, by: { userId: person.userId, tenantId: person.tenantId, refused: true } }));
    await foldUsage();
    expect(await db().usageRollup.findMany({ where: { userId: person.userId }, select: { requests: true, refused: true, answered: true, errors: true } })).toEqual([{ requests: 2n, refused: 1n, answered: 2n, errors: 1n }]);
  });

  it("two calls with one request id are two rows of the log", async () => {
    const { id, person } = await aFixtureKey();
    await addCalls(aCall(person, { apiKeyId: id, requestId: "twice" }), aCall(person, { apiKeyId: id, requestId: "twice" }));
    await foldUsage();
    expect(await db().requestLog.count({ where: { apiKeyId: id, requestId: "twice" } })).toBe(2);
  });

  it("a call that cannot be read, or not be stored, is left out and stops nobody else", async () => {
    const { id, person } = await aFixtureKey();
    const good = aCall(person, { apiKeyId: id });
    await redis().xadd(usageStream, "*", "l", "{not json");
    await redis().xadd(usageStream, "*", "l", JSON.stringify([["short"], null, 7]));
    await addCalls({ ...good, userAgent: "nul\u0000" }, { ...good, userAgent: "half \ud800" }, { ...good, status: 99 }, { ...good, ms: 1e12 }, good);
    await addCalls({ ...good, atMs: 0 }, { ...good, atMs: Date.now() + 1e11 });
    await foldUsage();
    const rows = await db().requestLog.findMany({ where: { apiKeyId: id } });
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(Math.abs(row.at.getTime() - Date.now())).toBeLessThan(60_000);
  });
});
