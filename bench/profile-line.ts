import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CpuProfile, placesOf, type Summary, summarise, type Window } from "./method/profile";
import type { Bench, Line } from "./rows/row";

/** Runs a line's load once more with the profiler on: not part of any figure, since the profiler costs time itself. */
export async function profileLine({ site, generator, quick }: Bench, { env, load }: NonNullable<Line["profile"]>): Promise<Summary> {
  const dir = mkdtempSync(join(site.folder, "profile-"));
  const server = await site.startOurs({ env, nodeArgs: ["--cpu-prof", `--cpu-prof-dir=${dir}`] });
  // On Linux the profile's clock is this one; elsewhere the whole run is told, start and stop with it.
  const clock = () => Number(process.hrtime.bigint() / 1000n);
  let window: Window | undefined;
  try {
    await generator.run(load(server), quick ? 3 : 6);
    const from = clock();
    await generator.run(load(server), quick ? 4 : 10);
    if (process.platform === "linux") window = { from, to: clock() };
  } finally {
    await server.stop();
  }
  const [file] = readdirSync(dir);
  if (!file) throw new Error("the server left no profile");
  return summarise(JSON.parse(readFileSync(join(dir, file), "utf8")) as CpuProfile, placesOf(), window);
}
