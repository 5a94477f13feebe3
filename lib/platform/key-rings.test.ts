import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { seal } from "./crypto";
import { env, setEnv } from "./env";
import { announceKeyRings, isKeyKnown, keepAnnouncingKeyRings, sealingRing, stopAnnouncingKeyRings } from "./key-rings";
import { withRedis } from "./redis";

const base = env();
const [old, fresh] = ["old", "fresh"].map((kid) => ({ kid, key: randomBytes(32) })) as [{ kid: string; key: Buffer }, { kid: string; key: Buffer }];
const rings = (...ring: { kid: string; key: Buffer }[]) => setEnv({ ...base, SESSION_KEKS: ring });
const kids = () => sealingRing("SESSION_KEKS").map(({ kid }) => kid);
const announced = () => withRedis((client) => client.hkeys("sl:rings"));

beforeEach(() => withRedis((client) => client.del("sl:rings")));
afterEach(async () => {
  await stopAnnouncingKeyRings();
  setEnv(base);
});

/** Another process with this ring says so. */
async function another(id: string, ...ring: { kid: string; key: Buffer }[]): Promise<void> {
  const ours = env();
  rings(...ring);
  await announceKeyRings(id);
  setEnv(ours);
}

it("a new first key seals nothing before every running process has it", async () => {
  await another("a", old);
  await another("b", old);
  rings(fresh, old);
  await keepAnnouncingKeyRings();
  expect(kids()).toEqual(["old", "fresh"]);
  await another("a", fresh, old);
  await announceKeyRings();
  expect(kids()).toEqual(["old", "fresh"]);
  await another("b", fresh, old);
  await announceKeyRings();
  expect(kids()).toEqual(["fresh", "old"]);
});

it("a process that ended holds nothing back: at once when it said so, after a minute when it was killed", async () => {
  rings(old);
  await keepAnnouncingKeyRings();
  expect(await announced()).toHaveLength(1);
  await stopAnnouncingKeyRings();
  expect(await announced()).toEqual([]);

  await another("killed", old);
  const at = Number((await withRedis((client) => client.time()))[0]);
  rings(fresh, old);
  await withRedis((client) => client.hset("sl:rings", "killed", `${at - 50}|${JSON.stringify({ SESSION_KEKS: ["old"] })}`));
  await announceKeyRings();
  expect(kids()).toEqual(["old", "fresh"]);
  await withRedis((client) => client.hset("sl:rings", "killed", `${at - 90}|${JSON.stringify({ SESSION_KEKS: ["old"] })}`));
  await announceKeyRings();
  expect(kids()).toEqual(["fresh", "old"]);
  expect(await announced()).not.toContain("killed");
});

it("rings that share no key, and words of another version, leave the operator's order", async () => {
  await another("stranger", { kid: "foreign", key: randomBytes(32) });
  await withRedis((client) => client.hset("sl:rings", "later", `${Math.floor(Date.now() / 1000)}|{"SESSION_KEKS":7}`));
  rings(fresh, old);
  await announceKeyRings();
  expect(kids()).toEqual(["fresh", "old"]);
});

it("whoever only listens says nothing, and learns all the same", async () => {
  await another("a", old);
  rings(fresh, old);
  await keepAnnouncingKeyRings({ silent: true });
  expect(await announced()).toEqual(["a"]);
  expect(kids()).toEqual(["old", "fresh"]);
});

it("a blob whose key the setting lacks is told from one that does not open", () => {
  const bound = { salt: "c2FsdA", info: "test", aad: "test" };
  rings(old);
  expect([isKeyKnown("SESSION_KEKS", seal([old], "x", bound)), isKeyKnown("SESSION_KEKS", seal([fresh], "x", bound))]).toEqual([true, false]);
});
