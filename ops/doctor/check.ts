/** What a check found. `detail`, `advice` and `why` may be shown; they are cleaned of secrets all the same. */
export type Verdict =
  | { outcome: "passed"; detail: string; /** Not wrong, yet worth knowing. */ advice?: string }
  | { outcome: "failed"; detail: string; cure: string }
  | { outcome: "not applicable"; why: string };

export type Check = {
  name: string;
  /** What to do when it could not even be tried: nobody answered, or not in time. */
  cure: string;
  run(signal: AbortSignal): Promise<Verdict>;
};

/** Checks that lean on each other, in order. Areas do not, and run side by side. */
export type Area = { name: string; checks: Check[]; close?(): Promise<void> };

export type Finding = { area: string; check: string } & Verdict;

export const passed = (detail: string, advice?: string): Verdict => ({ outcome: "passed", detail, ...(advice && { advice }) });
export const failed = (detail: string, cure: string): Verdict => ({ outcome: "failed", detail, cure });
export const notApplicable = (why: string): Verdict => ({ outcome: "not applicable", why });

/** Thrown where something that an earlier line told of already is in the way. */
export class Blocked extends Error {
  override name = "Blocked";
}

const deadlineMs = 5000;

/** Runs an area's checks one after the other, each for at most `withinMs`. Never throws. */
export async function runArea(area: Area, withinMs = deadlineMs): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of area.checks) findings.push({ area: area.name, check: check.name, ...(await runCheck(check, withinMs)) });
  await area.close?.().catch(() => undefined);
  return findings;
}

async function runCheck(check: Check, withinMs: number): Promise<Verdict> {
  const signal = AbortSignal.timeout(withinMs);
  const tooLong = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error(`no answer within ${withinMs / 1000} s`)), { once: true }));
  try {
    return await Promise.race([check.run(signal), tooLong]);
  } catch (error) {
    return error instanceof Blocked ? notApplicable(error.message) : failed(wordsOf(error), check.cure);
  }
}

/** Node hides the reason of a failed connection in the cause, or in the errors of both address families. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  if (error.cause instanceof Error) return wordsOf(error.cause);
  return error.message || error.name;
}

/** A step that several checks share, tried once: whoever tries first sees its error, the others are blocked by it. */
export function once<T>(what: string, attempt: () => Promise<T>): () => Promise<T> {
  let tried: Promise<T> | undefined;
  return () => {
    if (!tried) return (tried = attempt());
    return tried.catch(() => { throw new Blocked(`needs ${what}, see above`); });
  };
}
