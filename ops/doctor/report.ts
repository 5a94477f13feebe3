import type { Finding } from "./check";

/** Takes secrets out of a text: the last barrier, since an error's words are not ours. */
export function cleaned(text: string, secrets: string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, "***"), text).replace(/eyJ[\w-]{10,}\.[\w-]+(\.[\w-]*)?/g, "***");
}

const marks: Record<Finding["outcome"], string> = { passed: "passed        ", failed: "FAILED        ", "not applicable": "not applicable" };

/** The findings of one area, for a person. */
export function linesOf(findings: Finding[]): string[] {
  return findings.flatMap((f) => {
    const said = f.outcome === "not applicable" ? f.why : f.detail;
    const line = `${marks[f.outcome]}  ${f.area}: ${f.check}${said && ` (${said})`}`;
    if (f.outcome === "failed") return [line, `                → ${f.cure}`];
    return f.outcome === "passed" && f.advice ? [line, `                  note: ${f.advice}`] : [line];
  });
}

export function countOf(findings: Finding[]): { passed: number; failed: number; notApplicable: number } {
  const count = (outcome: Finding["outcome"]) => findings.filter((f) => f.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), notApplicable: count("not applicable") };
}
