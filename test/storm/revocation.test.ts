import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, inject, it } from "vitest";
import { type RedisServer, startRedis } from "../../dev/lib/redis";
import { type SentinelSet, startSentinelSet } from "../../dev/lib/redis-sentinel";
import { type Fleet, type FleetKey, startFleet } from "./fleet";
import { eachOf } from "./load";
import { requireDead, requireNoneAdmitted, requireNoneAdmittedAnywhere, revokeUnderLoad } from "./revocation";

// The long forms of test/http/revocation.test.ts. Everything here is its own: stores, processes, keys.
const stops: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const aFolder = () => {
  const folder = mkdtempSync("/var/tmp/sluice-storm-");
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const aFleet = async (redis: { port: number } | { url: string }): Promise<Fleet> => {
  const fleet = await startFleet(inject("env"), redis);
  stops.push(fleet.stop);
  return fleet;
};
const nothingPending = (fleet: Fleet) => expect.poll(async () => (await fleet.db.query('SELECT 1 FROM "Outbox" WHERE "doneAt" IS NULL')).rowCount, { timeout: 30_000 }).toBe(0);
const untilWhole = async (fleet: Fleet) => {
  for (const member of fleet.members.keys()) await expect.poll(async () => (await fleet.ask(member, fleet.manager)).degraded, { timeout: 20_000 }).toBe(false);
};

it("of 10,000 keys revoked under load on three processes, one of them cut off, frozen and slowed in between, not one is admitted afterwards", async () => {
  const redis = await startRedis(join(aFolder(), "redis"), { throwaway: true });
  stops.push(redis.stop);
  const fleet = await aFleet(redis);
  const roots = await fleet.makeKeys(1000);
  // Most go with the key that made them, as they do when a leaked one is pulled.
  const children = new Map<string, FleetKey[]>();
  for (const root of roots) children.set(root.id, await fleet.makeKeys(9, { createdBy: root.id }));
  const all = roots.flatMap((root) => [root, ...(children.get(root.id) ?? [])]);
  expect(all).toHaveLength(10_000);

  const link = fleet.members[2]?.link;
  const storm = await revokeUnderLoad(fleet, roots, {
    revokers: [0, 1], atOnce: 4, family: (root) => children.get(root.id) ?? [],
    meanwhile: (done) => {
      if (done === 200) link?.cut();
      if (done === 400) link?.resume();
      if (done === 500) link?.freeze();
      if (done === 650) link?.resume();
      if (done === 750) link?.delay(40);
      if (done === 900) link?.resume();
    },
  });
  expect(storm.unconfirmed).toEqual([]);
  expect(storm.deadSince.size).toBe(10_000);
  requireNoneAdmittedAnywhere(fleet, storm);
  await requireDead(fleet, all);
}, 400_000);

it("a primary that is killed in between, and a successor that may not have heard of the last revocations, admit none of them", async () => {
  const set: SentinelSet = await startSentinelSet(aFolder());
  stops.push(set.stop);
  const fleet = await aFleet({ url: set.url });
  const keys = await fleet.makeKeys(400);
  // Every key is warm in the primary and in its replicas: what a successor remembers is that they are good.
  for (const member of fleet.members.keys()) await eachOf(keys, 16, async (key) => { expect((await fleet.ask(member, key)).status).toBe(200); });
  const before = await set.primary();
  let failOver = Promise.resolve();
  const storm = await revokeUnderLoad(fleet, keys, {
    revokers: [0, 1, 2], atOnce: 6,
    meanwhile: (done) => {
      if (done === 120) failOver = set.killPrimary();
    },
  });
  await failOver;
  expect((await set.primary()).runId).not.toBe(before.runId);
  requireNoneAdmitted(storm);
  await untilWhole(fleet);
  await nothingPending(fleet);
  // In the middle of a fail-over a revocation may also be turned away before it changed anything: that one is nobody's promise, and is asked for again.
  const { rows } = await fleet.db.query<{ id: string }>('SELECT id FROM "ApiKey" WHERE id = ANY($1) AND "revokedAt" IS NULL', [keys.map(({ id }) => id)]);
  const turnedAway = keys.filter(({ id }) => rows.some((row) => row.id === id));
  expect(turnedAway.filter((key) => !storm.unconfirmed.includes(key))).toEqual([]);
  await requireDead(fleet, keys.filter((key) => !turnedAway.includes(key)));
  for (const key of turnedAway) expect((await fleet.change(0, "DELETE", key.id)).status).toBe(200);
  await requireDead(fleet, turnedAway);
}, 240_000);

it("revocations that the replicas never got are no hole: the successor's old records are those of another Redis", async () => {
  const set: SentinelSet = await startSentinelSet(aFolder());
  stops.push(set.stop);
  const fleet = await aFleet({ url: set.url });
  const keys = await fleet.makeKeys(40);
  for (const member of fleet.members.keys()) await eachOf(keys, 16, async (key) => { expect((await fleet.ask(member, key)).status).toBe(200); });
  // Asynchronous replication at its worst: the primary confirms alone, and then is gone.
  const goOn = await set.loseReplicas();
  await eachOf(keys, 8, async (key, i) => {
    // A machine that is overrun answers 503; whoever revokes comes again.
    await expect.poll(async () => (await fleet.change(i % 3, "DELETE", key.id)).status, { timeout: 60_000 }).toBe(200);
  });
  await set.killPrimary(goOn);
  await untilWhole(fleet);
  await requireDead(fleet, keys);
}, 240_000);

it("a Redis that restarts empty again and again in between admits none", async () => {
  const folder = join(aFolder(), "redis");
  let redis: RedisServer = await startRedis(folder, { throwaway: true });
  stops.push(() => redis.stop());
  const { port } = redis;
  const fleet = await aFleet(redis);
  const keys = await fleet.makeKeys(400);
  let restarting = Promise.resolve();
  const storm = await revokeUnderLoad(fleet, keys, {
    revokers: [0, 1, 2], atOnce: 6,
    meanwhile: (done) => {
      if (done % 100 === 50) restarting = restarting.then(async () => {
        await redis.stop();
        redis = await startRedis(folder, { throwaway: true, port });
      });
    },
  });
  await restarting;
  requireNoneAdmitted(storm);
  await untilWhole(fleet);
  await nothingPending(fleet);
  await requireDead(fleet, keys);
}, 240_000);
