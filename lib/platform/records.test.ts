import { expect, it } from "vitest";
import { pool } from "./db";
import { newId } from "./ids";
import { finishInvalidations, invalidationKind, readRecord, writeRecord } from "./records";

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
