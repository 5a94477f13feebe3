import type { Generator } from "../generator/generator";
import type { Load } from "../generator/orders";
import type { Goal, Spread } from "../method/statistics";
import type { Site } from "../site/site";
import type { Started } from "../site/start-process";

/** One comparison, as one line of the results. */
export type Line = {
  what: string;
  /** Each side in its own figure, such as "8,123 requests per CPU second". */
  ours: string;
  denominator: string;
  /** Absent when it was not run; `notes` then say why. */
  ratio?: Spread;
  unit?: string;
  /** Null: reported, with nothing promised. */
  goal: Goal | null;
  notes: string[];
  /** Answers other than 2xx: whatever was measured then, it was something else. */
  invalid?: boolean;
  /** What to run again under the profiler when the goal is missed. */
  profile?: { env: Record<string, string>; load(server: Started): Load };
};

export type Bench = { site: Site; generator: Generator; say(line: string): void; quick: boolean; /** Of one side's turn. */ seconds: number; rounds: number };

export type Row = { name: string; title: string; run(bench: Bench): Promise<Line[]> };

export const notRun = (what: string, why: string): Line => ({ what, ours: "", denominator: "", goal: null, notes: [`not run: ${why}`] });

export const figure = (value: number, digits = 0) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
