import type { Step } from "./step";

const marks: Record<Step["verdict"], string> = { create: "+ create", change: "~ change", leave: "= leave ", look: "! look  " };

/** The plan, line by line, for a person. */
export function describe(steps: Step[]): string[] {
  return steps.flatMap((step) => {
    if ("why" in step) return [`${marks[step.verdict]}  ${step.what}: ${step.why}`];
    const width = Math.min(40, Math.max(0, ...step.changes.map((c) => c.field.length)));
    return [`${marks[step.verdict]}  ${step.what}`, ...step.changes.map((c) => `            ${c.field.padEnd(width)}  ${c.from ? `${c.from} → ` : ""}${c.to}`)];
  });
}

/** The last line. */
export function summary(steps: Step[], applied: boolean): string {
  const count = (verdict: Step["verdict"]) => steps.filter((s) => s.verdict === verdict).length;
  const [creates, changes, looks] = [count("create"), count("change"), count("look")];
  const toLook = looks > 0 ? `; ${looks} to look at yourself` : "";
  if (creates + changes === 0) return `nothing to do${toLook}`;
  return applied ? `done: ${creates} created, ${changes} changed${toLook}` : `${creates} to create, ${changes} to change${toLook}. Nothing was changed: --apply does it`;
}
