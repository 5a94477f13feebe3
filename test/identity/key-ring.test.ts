import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, afterEach, expect, inject, it } from "vitest";
import { startRedis } from "../../dev/lib/redis";
import { control, demo, keyOf, resetParts } from "../http/client";
import { type Replica } from "../http/replica";
import { anExpiredSession, answers, aSession, copyTo, type Fleet, isReal, search, type Session, startFleet } from "./fleet";

const folder = mkdtempSync("/var/tmp/sluice-key-ring-");
const sql = new pg.Pool({ connectionString: demo.databaseUrl, max: 1 });
afterEach(resetParts);
afterAll(async () => {
  await sql.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Three processes on a Redis of their own: the stack's server has the old keys alone, and would hold a new one back for good. */
async function aFleetApart(name: string): Promise<{ fleet: Fleet; client: Redis; end(): Promise<void> }> {
  const redis = await startRedis(join(folder, name), { throwaway: true });
  const client = new Redis(redis.url);
  const fleet = await startFleet({ env: { REDIS_URL: redis.url } });
  return { fleet, client, end: async () => { await fleet.stop(); client.disconnect(); await redis.stop(); } };
}

/** Replaces one process after the other by one with these settings. */
async function roll(fleet: Fleet, env: Record<string, string>, between: (member: Replica) => Promise<void> = async () => undefined): Promise<void> {
  for (const member of [...fleet.members]) {
    await member.stop();
    await between(await fleet.replace(member, env));
  }
}

const aFreshKey = () => `fresh:${randomBytes(32).toString("base64")}`;
const kidOf = (ring: string) => ring.split(":")[0];
/** Of a blob as `seal` makes it. */
const blobKidOf = (blob: string | null | undefined) => blob?.split(".")[1];
const everywhere = async (fleet: Fleet, who: Session | { key: string }) => answers(await Promise.all(fleet.members.map((member) => search(member, who))));

it("a new key rolled through three processes signs nobody out and fails no call; then it alone seals; without the old one, who has not come back signs in again", async () => {
  const [old, fresh] = [inject("webEnv").SESSION_KEKS ?? "", aFreshKey()];
  const { fleet, client, end } = await aFleetApart("sessions");
  const metaKid = (session: Session) => client.hget(`sl:s:{${session.id}}:m`, "kid");
  const sealedWith = async (session: Session) => blobKidOf(await client.get(`sl:s:{${session.id}}:t`));
  /** The next call of each process needs a new token: their sealing shows. */
  const expire = (...sessions: Session[]) => Promise.all(sessions.map((session) => copyTo(client, session)));
  try {
    const [busy, away] = [await anExpiredSession("uma"), await aSession("vic")];
    await expire(busy, away);
    expect([...await everywhere(fleet, busy), ...await everywhere(fleet, away)]).toEqual(Array(6).fill("200"));

    const sealedBy: (string | null | undefined)[] = [];
    await roll(fleet, { SESSION_KEKS: `${fresh},${old}` }, async (member) => {
      // A session that has just come in, and is renewed first by the process that has just been replaced.
      const met = await anExpiredSession("uma");
      await expire(met);
      expect(answers([await search(member, met)])).toEqual(["200"]);
      expect(await everywhere(fleet, met)).toEqual(Array(3).fill("200"));
      expect([...await everywhere(fleet, busy), ...await everywhere(fleet, away)]).toEqual(Array(6).fill("200"));
      sealedBy.push(await sealedWith(met));
    });
    expect(sealedBy.slice(0, 2)).toEqual([kidOf(old), kidOf(old)]);

    // From here on every renewal is sealed with the new one.
    const next = await anExpiredSession("uma");
    await expire(next);
    await expect.poll(async () => { await expire(next); await search(fleet.at(0), next); return metaKid(next); }, { timeout: 20_000 }).toBe("fresh");
    expect(await sealedWith(next)).toBe("fresh");
    expect(await metaKid(away)).toBe(kidOf(old));

    await roll(fleet, { SESSION_KEKS: fresh });
    expect(await everywhere(fleet, next)).toEqual(Array(3).fill("200"));
    expect(await everywhere(fleet, away)).toEqual(Array(3).fill("401 session_expired"));
  } finally {
    await end();
  }
}, 180_000);

// The same roll with another setting, on more processes: the short form leaves it to the long one.
it.runIf(isReal)("a new key for machine access rolled through three processes fails no key's call; then it alone seals; a grant that only the old one opens waits for it to come back", async () => {
  const [old, fresh] = [inject("webEnv").VAULT_KEKS ?? "", aFreshKey()];
  await control("identity", { createUsers: { kim: ["user"], kit: ["user"] } });
  const [busy, away] = [await keyOf("kim", { permissions: ["nflow:read"] }), await keyOf("kit", { permissions: ["nflow:read"] })];
  const { fleet, client, end } = await aFleetApart("grants");
  const sealedWith = async ({ id }: { id: string }) => {
    const { rows } = await sql.query<{ sealed: string }>('SELECT g.sealed FROM "OwnerGrant" g JOIN "ApiKey" k ON k."userId" = g."userId" WHERE k.id = $1', [id]);
    return blobKidOf(rows[0]?.sealed);
  };
  /** Nobody remembers a token of the owners any more: the next call opens the grant and seals what came back. */
  const forget = async () => { const names = await client.keys("sl:g:*"); if (names.length) await client.del(names); };
  const everybody = async (key: string) => {
    const said: string[] = [];
    for (const member of fleet.members) {
      await forget();
      said.push(...answers([await search(member, { key })]));
    }
    return said;
  };
  try {
    expect(await everybody(away.key)).toEqual(Array(3).fill("200"));
    const sealedBy: (string | undefined)[] = [];
    await roll(fleet, { VAULT_KEKS: `${fresh},${old}` }, async (member) => {
      await forget();
      expect(answers([await search(member, busy)])).toEqual(["200"]);
      sealedBy.push(await sealedWith(busy));
      expect(await everybody(busy.key)).toEqual(Array(3).fill("200"));
    });
    expect(sealedBy.slice(0, 2)).toEqual([kidOf(old), kidOf(old)]);
    await expect.poll(async () => { await forget(); await search(fleet.at(0), busy); return sealedWith(busy); }, { timeout: 20_000 }).toBe("fresh");

    await roll(fleet, { VAULT_KEKS: fresh });
    expect(await everybody(busy.key)).toEqual(Array(3).fill("200"));
    expect(await everybody(away.key)).toEqual(Array(3).fill("403 owner_reauth_required"));
    expect(await sealedWith(away)).toBe(kidOf(old));

    await roll(fleet, { VAULT_KEKS: `${fresh},${old}` });
    expect(await everybody(away.key)).toEqual(Array(3).fill("200"));
    expect(await sealedWith(away)).toBe("fresh");
  } finally {
    await end();
  }
}, 180_000);
