import { Redis } from "ioredis";
import pg from "pg";
import { join } from "node:path";
import { startRedis } from "../../dev/lib/redis";
import { fillKeys, makeKeys } from "../site/keys";
import type { Site } from "../site/site";
import { compare, cpuLine, warmUp } from "./compare";
import { keyLoad, requireCorrect } from "./key-check";
import { figure, type Row } from "./row";

const many = { all: 1_000_000, inUse: 10_000 };
const few = 1000;

export const manyKeys: Row = {
  name: "many-keys",
  title: "A million keys",
  async run(bench) {
    const { site, say } = bench;
    const small = await site.startOurs();
    const other = await secondStores(site);
    try {
      const big = await site.startOurs({ env: { DATABASE_URL: other.databaseUrl, REDIS_URL: other.redisUrl } });
      await copyOwner(site, other.db);
      say(`writing ${figure(many.all)} keys`);
      await fillKeys(other.db, site.owner, many.all - many.inUse);
      const [inUse, fewKeys] = [await makeKeys(other.db, site.owner, many.inUse), await makeKeys(site.db, site.owner, few)];
      await requireCorrect(bench, small, fewKeys[0] ?? "");
      const sides = [{ server: big, load: keyLoad(inUse)(big) }, { server: small, load: keyLoad(fewKeys)(small) }] as const;
      const before = await other.usedBytes();
      await warmUp(bench, ...sides);
      for (let turns = 0; turns < 10 && (await other.warmKeys()) < many.inUse; turns++) await warmUp(bench, sides[0]);
      const { used, keys } = { used: (await other.usedBytes()) - before, keys: await other.warmKeys() };
      const rounds = await compare(bench, ...sides);
      await Promise.all([big.stop(), small.stop()]);
      return [
        cpuLine(rounds, {
          what: `checks with ${figure(many.all)} keys, ${figure(many.inUse)} of them in use`, denominator: `${figure(few)} keys`, goal: { atLeast: 0.95 }, notes: ["a key's copy lives for 60 s, so the reads of PostgreSQL that many keys in use need are in it"],
          profile: { env: { DATABASE_URL: other.databaseUrl, REDIS_URL: other.redisUrl }, load: keyLoad(inUse) },
        }),
        { what: "Redis memory per key in use, state of its limit included", ours: `${figure(used)} bytes`, denominator: `${figure(keys)} keys`, ratio: { mean: used / keys, min: used / keys, max: used / keys }, unit: "bytes", goal: null, notes: [] },
      ];
    } finally {
      site.atEnd(other.stop);
    }
  },
};

/** Both sizes must be there at once for the sides to take turns. */
async function secondStores(site: Site) {
  await site.db.query("CREATE DATABASE many");
  const url = new URL(site.env.DATABASE_URL ?? "");
  url.pathname = "/many";
  const redis = await startRedis(join(site.folder, "second-redis"), { throwaway: true });
  const client = new Redis(redis.url);
  const db = new pg.Client({ connectionString: url.href });
  await db.connect();
  return {
    databaseUrl: url.href, redisUrl: redis.url, db,
    usedBytes: async () => Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]),
    warmKeys: async () => (await client.keys("sl:l:k:*")).length,
    stop: async () => {
      client.disconnect();
      await db.end();
      await redis.stop();
    },
  };
}

async function copyOwner(site: Site, to: pg.Client): Promise<void> {
  const copies = [["Tenant", "id", site.owner.tenantId], ["User", "id", site.owner.userId]] as const;
  const { rows: [plan] } = await to.query<{ id: string }>(`SELECT id FROM "Plan" WHERE name = 'default'`);
  for (const [table, column, value] of copies) {
    const { rows: [row] } = await site.db.query<Record<string, unknown>>(`SELECT to_jsonb(t) AS row FROM "${table}" t WHERE ${column} = $1`, [value]);
    await to.query(`INSERT INTO "${table}" SELECT * FROM jsonb_populate_record(NULL::"${table}", $1)`, [{ ...(row?.row as object), ...(table === "Tenant" && { planId: plan?.id }) }]);
  }
}
