/** What is said when the portal wants to know again who is there; `StepUp` listens. */
export const stepUpEvent = "sluice:confirm-identity";

/** Of a problem (RFC 9457), what matters here. */
export type Refusal = { detail: string; code?: string; confirmUrl?: unknown };

/**
 * A failure's words for whoever shows them. Where the server wants a recent proof of who is there, the question is asked beside it.
 */
export function refusalText(problem: Refusal): string {
  if (isStepUp(problem)) window.dispatchEvent(new CustomEvent(stepUpEvent, { detail: problem.confirmUrl }));
  return problem.detail;
}

export function isStepUp(problem: Refusal): boolean {
  return problem.code === "step_up_required" && typeof problem.confirmUrl === "string";
}

const prefix = "sluice.draft:";
const draftMinutes = 30;

/** One form of one page; two rows of a table differ by what their forms begin with. */
const nameOf = (defaults: unknown) => `${prefix}${window.location.pathname}:${JSON.stringify(defaults)}`;

/** Keeps what was typed while its writer is at Keycloak, in this tab alone. It is given back once. */
export function keepDraft(defaults: unknown, values: unknown): void {
  try {
    window.sessionStorage.setItem(nameOf(defaults), JSON.stringify({ at: Date.now(), values }));
  } catch {
    // A full or forbidden storage costs the draft and nothing else.
  }
}

export function takeDraft(defaults: unknown): unknown {
  try {
    const name = nameOf(defaults);
    const kept = window.sessionStorage.getItem(name);
    window.sessionStorage.removeItem(name);
    const draft = kept === null ? null : (JSON.parse(kept) as { at: number; values: unknown });
    return draft && Date.now() - draft.at < draftMinutes * 60_000 ? draft.values : null;
  } catch {
    return null;
  }
}

/** Somebody else came back: what was typed before is none of theirs. */
export function dropDrafts(): void {
  try {
    for (const name of Object.keys(window.sessionStorage)) if (name.startsWith(prefix)) window.sessionStorage.removeItem(name);
  } catch {
    // As above.
  }
}
