import type { Load } from "../generator/orders";
import { ratioOf } from "../method/statistics";
import { makeKeys, unknownKeys } from "../site/keys";
import type { Started } from "../site/start-process";
import { compare, cpuLine, warmUp } from "./compare";
import { keyLoad, requireCorrect } from "./key-check";
import { type Bench, figure, type Line, type Row } from "./row";

/** Without the worker, so that every transaction is a caller's. */
const env = { WORKER: "off" };
/** An address that nobody limits would not be measured for what it costs: the limit is on, and wide. */
const wrongLoad = (keys: string[]) => (server: Started): Load => ({ ...keyLoad(keys)(server), expect: 401 });
const breakChecksum = (key: string) => key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");

export const wrongKey: Row = {
  name: "wrong-key",
  title: "A wrong key refused against a good key served",
  async run(bench) {
    const { site } = bench;
    const ours = await site.startOurs({ env });
    try {
      const good = await makeKeys(site.db, site.owner, 100);
      await requireCorrect(bench, ours, good[0] ?? "");
      const served = { server: ours, load: keyLoad(good)(ours) };
      const lines: Line[] = [];
      for (const [what, keys, most] of [["malformed (wrong checksum)", unknownKeys(100).map(breakChecksum), 0], ["well-formed and unknown", unknownKeys(100), 10]] as const) {
        const load = wrongLoad([...keys]);
        const refused = { server: ours, load: load(ours) };
        await warmUp(bench, refused, served);
        lines.push(cpuLine(await compare(bench, refused, served), { what: `${what}, refused`, denominator: "a good key, served", goal: { atLeast: 1.5 }, profile: { env, load } }));
        lines.push(await transactionsOf(bench, refused.load, what, most));
      }
      return lines;
    } finally {
      await ours.stop();
    }
  },
};

/** What PostgreSQL counted while only wrong keys came, less what it counts when nothing comes. */
async function transactionsOf({ site, generator, seconds }: Bench, load: Load, what: string, most: number): Promise<Line> {
  const count = async () => {
    // A backend tells its counts up to a second late.
    await new Promise((done) => setTimeout(done, 1500));
    const { rows: [row] } = await site.db.query<{ count: string }>("SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()");
    return Number(row?.count);
  };
  const atStart = await count();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  const idle = (await count()) - atStart;
  const before = await count();
  const { requests } = await generator.run(load, seconds);
  const spent = Math.max(0, (await count()) - before - idle);
  return {
    what: `${what}: PostgreSQL transactions per 1,000 refused`, ours: `${figure(spent)} transactions`, denominator: `${figure(requests)} calls`, ratio: ratioOf([spent * 1000], [requests]), goal: { atMost: most },
    notes: most > 0 ? ["100 different keys; each is looked up once in 5 s, which is how long \"unknown\" is remembered"] : [],
  };
}
