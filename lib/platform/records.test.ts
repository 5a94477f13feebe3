import { expect, it } from "vitest";
import { pool } from "./db";
import { newId } from "./ids";
import { finishInvalidations, invalidate, invalidationKind, readRecord, writeRecord } from "./records";
import { redis } from "./redis";

it("the outbox is finished in one go, however much a revoker that was cut off has left behind", async () => {
  const keys = Array.from({ length: 250 }, () => `sl:test:${newId()}`);
  for (const key of keys.slice(0, 3)) await writeRecord(key, 1, "packed");
  await pool().query(
    `INSERT INTO "Outbox" (id, kind, payload) SELECT gen_random_uuid(), $1, jsonb_build_array(jsonb_build_object('key', key, 'version', 2)) FROM unnest($2::text[]) AS key`,
    [invalidationKind, keys],
  );
  // Other files run beside this one, and what they leave is finished as well.
  expect(await finishInvalidations()).toBeGreaterThanOrEqual(keys.length);
  const { rowCount } = await pool().query(`SELECT 1 FROM "Outbox" WHERE "doneAt" IS NULL AND payload->0->>'key' = ANY($1)`, [keys]);
  expect(rowCount).toBe(0);
  expect(await Promise.all(keys.slice(0, 3).map((key) => readRecord(key)))).toEqual([null, null, null]);
  expect(await writeRecord(keys[0] ?? "", 1, "packed")).toBe(false);
});

it("a copy lives a minute at most, and the floor that keeps a slow reader from bringing it back outlives it by far", async () => {
  const key = `sl:test:${newId()}`;
  await writeRecord(key, 1, "packed");
  const copyMs = await redis().pttl(key);
  expect([copyMs > 50_000, copyMs <= 60_000], `${copyMs} ms`).toEqual([true, true]);
  await invalidate([{ key, version: 2 }]);
  expect(await readRecord(key)).toBeNull();
  const floorMs = await redis().pttl(`${key}:x`);
  expect([floorMs > 290_000, floorMs <= 300_000], `${floorMs} ms`).toEqual([true, true]);
});
