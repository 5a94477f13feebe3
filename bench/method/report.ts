import { type Goal, isMet, type Spread } from "./statistics";
import type { Summary } from "./profile";

export type Result = { what: string; ours: string; denominator: string; ratio?: Spread; unit?: string; goal: Goal | null; notes: string[]; invalid?: boolean; summary?: Summary };
export type Section = { title: string; results: Result[] };

export type Verdict = "met" | "not met" | "reported" | "not run" | "invalid";

export function verdictOf({ ratio, goal, invalid }: Pick<Result, "ratio" | "goal" | "invalid">): Verdict {
  if (invalid) return "invalid";
  if (!ratio) return "not run";
  if (!goal) return "reported";
  return isMet(goal, ratio.mean) ? "met" : "not met";
}

const number = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2));
const goalText = (goal: Goal | null, unit: string) => (!goal ? "–" : "atLeast" in goal ? `≥ ${goal.atLeast}${unit}` : `≤ ${goal.atMost}${unit}`);
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** The results as a page: the machine, a table per row, and where a goal was missed what the time went into. */
export function reportOf(head: string[], sections: Section[]): string {
  const rows = sections.flatMap(({ results }) => results);
  return [
    "# Measurements", "", "Written by `npm run bench`; see `bench/README.md` for how. Ratios only: both sides in turns within one run, per CPU second of the server's process unless a unit is given.", "",
    ...head.map((line) => `- ${line}`), "",
    "| what | ours | denominator | ratio: mean (min – max) | goal | |", "| --- | --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${[row.what, row.ours || "–", row.denominator || "–", ratioText(row), goalText(row.goal, unitOf(row)), verdictOf(row)].join(" | ")} |`), "",
    ...sections.flatMap(remarks),
  ].join("\n");
}

const unitOf = ({ unit }: Result) => (unit ? ` ${unit}` : "");

function ratioText(row: Result): string {
  const { ratio } = row;
  return ratio ? `${number(ratio.mean)}${unitOf(row)} (${number(ratio.min)} – ${number(ratio.max)})` : "–";
}

function remarks({ title, results }: Section): string[] {
  const said = results.filter((row) => row.notes.length > 0 || row.summary);
  if (said.length === 0) return [];
  return [`## ${title}`, "", ...said.flatMap((row) => [
    `**${row.what}**: ${verdictOf(row)}.${row.notes.map((note) => ` ${note.charAt(0).toUpperCase()}${note.slice(1)}.`).join("")}`, "",
    ...(row.summary ? spentOn(row.summary) : []),
  ])];
}

function spentOn({ packages, functions, behalf }: Summary): string[] {
  const table = (title: string, spent: Summary["functions"]) => [`| ${title} | function |`, "| --- | --- |", ...spent.slice(0, 20).map(({ name, share }) => `| ${percent(share)} | \`${name}\` |`), ""];
  return [
    `Where our process spends its time (an extra run under the profiler): ${packages.slice(0, 12).map(({ name, share }) => `${name} ${percent(share)}`).join(", ")}.`, "",
    ...table("self time", functions), ...table("with all that it called, of our own", behalf),
  ];
}
