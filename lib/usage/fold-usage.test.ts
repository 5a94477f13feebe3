import { describe, expect, it, vi } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { sha256Hex } from "@/lib/platform/crypto";
import { db, pool } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { redis, redisReady } from "@/lib/platform/redis";
import { foldUsage } from ".";
import { usageStream } from "./stream";

async function aKey(): Promise<string> {
  const { tenantId, userId } = await aPerson();
  const id = newId();
  await db().apiKey.create({ data: { id, tenantId, userId, name: "k", secretHash: sha256Hex(id), start: "slk_test", last4: "test", rateRequests: 1, rateWindow: 1, createdByType: "user" } });
  return id;
}
const add = async (...checks: string[]) => (await redis().xadd(usageStream, "*", "c", checks.join(","))) ?? "";
const rowOf = (id: string) => db().apiKey.findUniqueOrThrow({ where: { id }, select: { requestCount: true, lastUsedAt: true, lastRequestAt: true, updatedAt: true } });

describe("folding usage", () => {
  it("admitted calls count, refused ones only tell when they came, and the key's own change time stays", async () => {
    await redisReady();
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
});
