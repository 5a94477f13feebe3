import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { type RedisServer, startRedis } from "../../dev/lib/redis";
import { type Fleet, type FleetKey, startFleet } from "../storm/fleet";
import { eachOf, livingAndLatelyDead, startLoad } from "../storm/load";
import { requireDead, requireNoneAdmitted, requireNoneAdmittedAnywhere, revokeUnderLoad } from "../storm/revocation";

// A machine that does much else at the same time takes long for it, and no promise here is about seconds.
vi.setConfig({ testTimeout: 120_000 });

// Three processes with a Redis of their own, each on a link that can be cut. The long forms are in test/storm.
const folder = mkdtempSync("/var/tmp/sluice-revocation-");
let redis: RedisServer;
let fleet: Fleet;

beforeAll(async () => {
  redis = await startRedis(join(folder, "redis"), { throwaway: true });
  fleet = await startFleet(inject("webEnv"), redis);
});

afterAll(async () => {
  await fleet.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Until a member asks Redis again, and not PostgreSQL. */
const untilWhole = async (members: number[], key: FleetKey) => {
  for (const member of members) await expect.poll(async () => (await fleet.ask(member, key)).degraded, { timeout: 10_000 }).toBe(false);
};

it("no process admits a revoked key in a call sent after the answer, the one that is cut off from Redis in between included", async () => {
  const keys = await fleet.makeKeys(150);
  const cutOff = fleet.members[2]?.link;
  const storm = await revokeUnderLoad(fleet, keys, {
    revokers: [0, 1],
    meanwhile: (done) => {
      if (done === 50) cutOff?.cut();
      if (done === 100) cutOff?.resume();
    },
  });
  expect(storm.unconfirmed).toEqual([]);
  requireNoneAdmittedAnywhere(fleet, storm);
  expect(storm.answers.filter((a) => a.member === 2 && a.degraded && a.code === "key_revoked").length).toBeGreaterThan(0);
  await requireDead(fleet, keys);
  await untilWhole([2], fleet.manager);
});

it("a process whose packets to Redis are swallowed refuses as well, and says that its limits are degraded", async () => {
  const keys = await fleet.makeKeys(20);
  await eachOf(keys, 8, async (key) => { await fleet.ask(2, key); });
  fleet.members[2]?.link?.freeze();
  const storm = await revokeUnderLoad(fleet, keys, { revokers: [0, 1] });
  const refused = await fleet.ask(2, keys[0] as FleetKey);
  expect([refused.status, refused.code, refused.degraded]).toEqual([401, "key_revoked", true]);
  fleet.members[2]?.link?.resume();
  requireNoneAdmitted(storm);
  await requireDead(fleet, keys);
  await untilWhole([2], fleet.manager);
});

it("a revoker cut off from Redis answers 503, the key is dead in PostgreSQL, and the outbox finishes it for all", async () => {
  const keys = await fleet.makeKeys(130);
  await eachOf(keys, 8, async (key, i) => { await fleet.ask(i % 2 === 0 ? 0 : 2, key); });
  const revoker = fleet.members[1]?.link;
  revoker?.cut();
  await eachOf(keys, 32, async (key) => {
    const answer = await fleet.change(1, "DELETE", key.id);
    expect([answer.status, answer.code]).toEqual([503, "store_unavailable"]);
  });
  const { rows: [row] } = await fleet.db.query('SELECT count(*)::int AS count FROM "ApiKey" WHERE "revokedAt" IS NOT NULL AND id = ANY($1)', [keys.map((k) => k.id)]);
  expect(row).toEqual({ count: keys.length });
  // More than one claim's worth: the worker of another process does not wait for its next round.
  await expect.poll(async () => (await Promise.all(keys.map((key) => fleet.ask(2, key)))).filter((a) => a.status < 300).length, { timeout: 10_000 }).toBe(0);
  await requireDead(fleet, keys);
  revoker?.resume();
  await untilWhole([1], fleet.manager);
  await expect.poll(async () => (await fleet.db.query('SELECT 1 FROM "Outbox" WHERE "doneAt" IS NULL')).rowCount, { timeout: 10_000 }).toBe(0);
});

it("a Redis that comes back empty in between admits no revoked key, and whom it could not confirm is dead soon after", async () => {
  const keys = await fleet.makeKeys(150);
  const { port } = redis;
  let back: Promise<void> = Promise.resolve();
  const storm = await revokeUnderLoad(fleet, keys, {
    revokers: [0, 1, 2],
    atOnce: 12,
    meanwhile: (done) => {
      if (done === 50) back = redis.stop().then(async () => { redis = await startRedis(join(folder, "redis"), { throwaway: true, port }); });
    },
  });
  await back;
  requireNoneAdmitted(storm);
  await untilWhole([0, 1, 2], fleet.manager);
  await expect.poll(async () => (await fleet.db.query('SELECT 1 FROM "Outbox" WHERE "doneAt" IS NULL')).rowCount, { timeout: 15_000 }).toBe(0);
  await requireDead(fleet, keys);
});

it("a disabled key is refused by all from the answer on, and admitted by all once it is enabled", async () => {
  const keys = await fleet.makeKeys(30);
  const disabled: FleetKey[] = [];
  const deadSince = new Map<string, number>();
  const load = startLoad(fleet, livingAndLatelyDead(keys, disabled));
  await eachOf(keys, 3, async (key, i) => {
    const answer = await fleet.change(i % 3, "PATCH", key.id, { isActive: false });
    expect(answer.status).toBe(200);
    deadSince.set(key.id, answer.at);
    disabled.push(key);
  });
  await load.stop();
  requireNoneAdmittedAnywhere(fleet, { answers: load.answers, deadSince }, "key_disabled");
  await requireDead(fleet, keys, "key_disabled");
  await eachOf(keys, 3, async (key, i) => {
    expect((await fleet.change(i % 3, "PATCH", key.id, { isActive: true })).status).toBe(200);
    for (const member of fleet.members.keys()) expect((await fleet.ask(member, key)).status).toBe(200);
  });
});

it("the secret before dies with its key, in the middle of its overlap, on every process at once", async () => {
  const keys = await fleet.makeKeys(10);
  const rotated = await Promise.all(keys.map(async (key, i) => ({ id: key.id, secret: await fleet.rotate(i % 3, key.id) })));
  for (const member of fleet.members.keys()) for (const key of [...keys, ...rotated]) expect((await fleet.ask(member, key)).status).toBe(200);
  await eachOf(keys, 3, async (key, i) => { expect((await fleet.change(i % 3, "DELETE", key.id)).status).toBe(200); });
  await requireDead(fleet, [...keys, ...rotated]);
});

it("a key takes with it all that it made and they made, on every process at once", async () => {
  const [root] = await fleet.makeKeys(1) as [FleetKey];
  const children = await fleet.makeKeys(30, { createdBy: root.id });
  const grandchildren = (await Promise.all(children.slice(0, 10).map((child) => fleet.makeKeys(3, { createdBy: child.id })))).flat();
  const family = [root, ...children, ...grandchildren];
  const deadSince = new Map<string, number>();
  const load = startLoad(fleet, livingAndLatelyDead(family, []));
  for (const member of fleet.members.keys()) await eachOf(family, 8, async (key) => { expect((await fleet.ask(member, key)).status).toBe(200); });
  const answer = await fleet.change(1, "DELETE", `${root.id}?cascade=true`);
  expect(answer.status).toBe(200);
  for (const key of family) deadSince.set(key.id, answer.at);
  await requireDead(fleet, family);
  await load.stop();
  requireNoneAdmittedAnywhere(fleet, { answers: load.answers, deadSince });
});
