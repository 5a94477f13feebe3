import type { Load } from "../generator/orders";
import { alternate, type Rounds } from "../method/rounds";
import { type Kind, perCpuSecond, type Sample } from "../method/sample";
import { mean, ratioOf } from "../method/statistics";
import { takeSample } from "../method/take-sample";
import type { Started } from "../site/start-process";
import { type Bench, figure, type Line } from "./row";

/** A server and what is asked of it. */
export type Side = { server: Started; load: Load };

/** Cold code is slow code: both sides run until the compiler has seen them. */
export async function warmUp({ generator, quick }: Bench, ...sides: Side[]): Promise<void> {
  for (const { load } of sides) await generator.run(load, quick ? 2 : 5);
}

export async function compare(bench: Bench, ours: Side, other: Side, kind: Kind = "cpu"): Promise<Rounds> {
  const turn = ({ server, load }: Side) => () => takeSample(bench.generator, server.pid, load, bench.seconds);
  return alternate({ ours: turn(ours), other: turn(other) }, { rounds: bench.rounds, kind });
}

/** Requests per CPU second of the server, ours to the other's. */
export function cpuLine(rounds: Rounds, line: Pick<Line, "what" | "goal" | "profile"> & { denominator: string; notes?: string[] }): Line {
  const side = (of: (round: Rounds["kept"][number]) => Sample) => rounds.kept.map((round) => perCpuSecond(of(round)));
  const [ours, other] = [side((round) => round.ours), side((round) => round.other)];
  return {
    ...line, ours: `${figure(mean(ours))} per CPU s`, denominator: `${line.denominator}: ${figure(mean(other))} per CPU s`, ratio: ratioOf(ours, other),
    ...judged(rounds, line.notes),
  };
}

/** What is said of any line, whatever it compares. */
export function judged(rounds: Rounds, notes: string[] = []): Pick<Line, "notes" | "invalid"> {
  return { notes: [...notes, ...rounds.notes, ...(rounds.failures ? [`invalid: ${rounds.failures} answers were not 2xx`] : [])], ...(rounds.failures > 0 && { invalid: true }) };
}
