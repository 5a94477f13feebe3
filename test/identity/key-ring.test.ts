import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, expect, inject, it } from "vitest";
import { startRedis } from "../../dev/lib/redis";
import { type Replica } from "../http/replica";
import { anExpiredSession, answers, aSession, copyTo, search, type Session, startFleet } from "./fleet";

const folder = mkdtempSync("/var/tmp/sluice-key-ring-");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("a new key rolled through three processes signs nobody out and fails no call; then it alone seals; without the old one, who has not come back signs in again", async () => {
  const old = inject("webEnv").SESSION_KEKS ?? "";
  const fresh = `fresh:${randomBytes(32).toString("base64")}`;
  // A Redis of their own: the stack's server has the old key alone, and would hold the new one back for good.
  const redis = await startRedis(join(folder, "redis"), { throwaway: true });
  const client = new Redis(redis.url);
  const fleet = await startFleet({ env: { REDIS_URL: redis.url } });
  const kidOf = (session: Session) => client.hget(`sl:s:{${session.id}}:m`, "kid");
  const blobKidOf = async (session: Session) => (await client.get(`sl:s:{${session.id}}:t`))?.split(".")[1];
  /** The next call of each process needs a new token: their sealing shows. */
  const expire = (...sessions: Session[]) => Promise.all(sessions.map((session) => copyTo(client, session)));
  const everywhere = async (session: Session) => answers(await Promise.all(fleet.members.map((member) => search(member, session))));
  const roll = async (env: Record<string, string>, between: (member: Replica) => Promise<void>) => {
    for (const member of [...fleet.members]) {
      await member.stop();
      await between(await fleet.replace(member, env));
    }
  };
  try {
    const [busy, away] = [await anExpiredSession("uma"), await aSession("vic")];
    await expire(busy, away);
    expect([...await everywhere(busy), ...await everywhere(away)]).toEqual(Array(6).fill("200"));

    const sealedBy: (string | null | undefined)[] = [];
    await roll({ SESSION_KEKS: `${fresh},${old}` }, async (member) => {
      // A session that has just come in, and is renewed first by the process that has just been replaced.
      const met = await anExpiredSession("uma");
      await expire(met);
      expect(answers([await search(member, met)])).toEqual(["200"]);
      expect(await everywhere(met)).toEqual(Array(3).fill("200"));
      expect([...await everywhere(busy), ...await everywhere(away)]).toEqual(Array(6).fill("200"));
      sealedBy.push(await blobKidOf(met));
    });
    const oldKid = old.split(":")[0];
    expect(sealedBy.slice(0, 2)).toEqual([oldKid, oldKid]);

    // From here on every renewal is sealed with the new one.
    const next = await anExpiredSession("uma");
    await expire(next);
    await expect.poll(async () => { await expire(next); await search(fleet.at(0), next); return kidOf(next); }, { timeout: 20_000 }).toBe("fresh");
    expect(await blobKidOf(next)).toBe("fresh");
    expect(await kidOf(away)).toBe(oldKid);

    await roll({ SESSION_KEKS: fresh }, async () => undefined);
    expect(await everywhere(next)).toEqual(Array(3).fill("200"));
    expect(await everywhere(away)).toEqual(Array(3).fill("401 session_expired"));
  } finally {
    await fleet.stop();
    client.disconnect();
    await redis.stop();
  }
}, 180_000);
