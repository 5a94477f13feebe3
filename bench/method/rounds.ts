import { type Kind, marksOf, type Sample } from "./sample";

export type Round = { ours: Sample; other: Sample; marks: string[] };
export type Rounds = {
  /** Those that count: the unmarked ones, or all when too few were. */
  kept: Round[];
  /** Rounds that were marked and taken again. */
  repeated: number;
  /** Said in the results: marks that had to be lived with, and failures, which make the row worthless. */
  notes: string[];
  failures: number;
};

type Sides = { ours(): Promise<Sample>; other(): Promise<Sample> };

/**
 * Measures both sides in turns, the first of a round being the second of the next, until enough rounds are clean. A marked
 * round is taken again, at most as often as there are rounds: on a machine that is never quiet the results say so instead.
 */
export async function alternate(sides: Sides, options: { rounds: number; kind: Kind }): Promise<Rounds> {
  const all: Round[] = [];
  const clean = () => all.filter((round) => round.marks.length === 0);
  while (clean().length < options.rounds && all.length < options.rounds * 2) {
    const oursFirst = all.length % 2 === 0;
    const first = await (oursFirst ? sides.ours() : sides.other());
    const second = await (oursFirst ? sides.other() : sides.ours());
    const [ours, other] = oursFirst ? [first, second] : [second, first];
    all.push({ ours, other, marks: [...marksOf(ours, options.kind), ...marksOf(other, options.kind)] });
  }
  return settled(all, options.rounds);
}

/** Chooses what counts. */
export function settled(all: Round[], wanted: number): Rounds {
  const clean = all.filter((round) => round.marks.length === 0);
  const kept = clean.length >= wanted ? clean : all;
  const failures = all.reduce((sum, { ours, other }) => sum + ours.failures + other.failures, 0);
  const marks = [...new Set(kept.flatMap((round) => round.marks))];
  return {
    kept, failures, repeated: all.length - wanted,
    notes: marks.length ? [`noisy: only ${clean.length} of ${all.length} rounds were clean (${marks.slice(0, 3).join(", ")}), all of them count`] : [],
  };
}
