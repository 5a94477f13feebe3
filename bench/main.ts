import { writeFileSync } from "node:fs";
import { build } from "../dev/build";
import { type Generator, startGenerator } from "./generator/generator";
import { commit, machineShape } from "./method/machine";
import { pin } from "./method/pinning";
import { coreTimes, stolenShare } from "./method/process-times";
import { reportOf, type Section, verdictOf } from "./method/report";
import { installPackages } from "./packages";
import { profileLine } from "./profile-line";
import { rows } from "./rows";
import type { Bench, Line } from "./rows/row";
import { type Site, startSite } from "./site/site";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const quick = process.argv.includes("--quick");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));

/** `npm run bench [-- ROW… --quick]`: measures, prints, and writes `bench/results.md`. */
async function main(): Promise<void> {
  const chosen = rows.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const strange = wanted.filter((name) => !rows.some((row) => row.name === name));
  if (strange.length) throw new Error(`unknown row ${strange.join(", ")}; there are ${rows.map(({ name }) => name).join(", ")}`);
  installPackages(say);
  await build(say);
  // After the build, which may use every core. What is started from here on inherits it.
  pin(process.pid, "stores");
  const before = coreTimes();
  let site: Site | undefined;
  let generator: Generator | undefined;
  const stop = async () => {
    await generator?.stop();
    await site?.stop();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop().finally(() => process.exit(130)));
  try {
    site = await startSite(say);
    generator = await startGenerator();
    const bench: Bench = { site, generator, say, quick, seconds: quick ? 1.5 : 3, rounds: quick ? 2 : 4 };
    const sections: Section[] = [];
    for (const row of chosen) sections.push({ title: row.title, results: await results(bench, row) });
    const head = [...machineShape(await versionsOf(site)), `${new Date().toISOString().slice(0, 10)}, commit ${commit()}${quick ? ", short rounds (--quick)" : ""}, stolen CPU over the whole run: ${(stolenShare(before, coreTimes()) * 100).toFixed(1)} %`];
    writeFileSync("bench/results.md", reportOf(head, sections));
    say("\nwritten to bench/results.md");
  } finally {
    await stop();
  }
}

async function results(bench: Bench, row: (typeof rows)[number]): Promise<Section["results"]> {
  say(`\n== ${row.title}`);
  const lines = await row.run(bench).catch((error: unknown): Line[] => [{ what: row.title, ours: "", denominator: "", goal: null, invalid: true, notes: [error instanceof Error ? error.message : String(error)] }]);
  const done: Section["results"] = [];
  for (const line of lines) {
    const verdict = verdictOf(line);
    const { ratio } = line;
    say(`${line.what}: ${ratio ? `${ratio.mean.toFixed(2)}${line.unit ? ` ${line.unit}` : ""} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})` : "–"}, ${verdict}. ${line.ours}; ${line.denominator}${line.notes.map((note) => `\n  ${note}`).join("")}`);
    const summary = verdict === "not met" && line.profile ? await profileLine(bench, line.profile) : undefined;
    done.push({ ...line, ...(summary && { summary }) });
  }
  return done;
}

async function versionsOf({ db, folder: _folder, redisUrl }: Site): Promise<{ redis: string; postgres: string }> {
  const { Redis } = await import("ioredis");
  const client = new Redis(redisUrl);
  const redis = /redis_version:(\S+)/.exec(await client.info("server"))?.[1] ?? "?";
  client.disconnect();
  const { rows: [row] } = await db.query<{ server_version: string }>("SHOW server_version");
  return { redis, postgres: row?.server_version ?? "?" };
}

main().then(() => process.exit(0), (error: unknown) => {
  process.stderr.write(`sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
