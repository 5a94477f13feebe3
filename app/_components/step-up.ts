/** Said when a person has to go to Keycloak before they can go on; `StepUp` listens. */
export const stepUpEvent = "sluice:sign-in-first";

/** `confirm`: their proof of who they are is too old. `ended`: their session is over. */
export type SignInFirst = { why: "confirm" | "ended"; address: string };

/** Of a problem (RFC 9457), what matters here. */
export type Refusal = { detail: string; code?: string; confirmUrl?: unknown };

/** A failure's words for whoever shows them. Where only Keycloak can help, the way there is offered beside them. */
export function refusalText(problem: Refusal): string {
  const detail = wayOf(problem);
  if (detail) window.dispatchEvent(new CustomEvent(stepUpEvent, { detail }));
  return problem.detail;
}

/** Whether what was typed has to outlive a way to Keycloak and back. */
export const mustSignIn = (problem: Refusal): boolean => wayOf(problem) !== null;

function wayOf({ code, confirmUrl }: Refusal): SignInFirst | null {
  if (code === "step_up_required" && typeof confirmUrl === "string") return { why: "confirm", address: confirmUrl };
  const here = `${window.location.pathname}${window.location.search}`;
  return code === "session_expired" ? { why: "ended", address: `/sign-in?returnTo=${encodeURIComponent(here)}` } : null;
}

const prefix = "sluice.draft:";
const draftMinutes = 30;

/** Who is looking: drafts of somebody else are none of theirs. */
let owner = "";
export function setDraftOwner(userId: string): void {
  owner = userId;
}

/** One form of one page; two rows of a table differ by what their forms begin with. */
const nameOf = (defaults: unknown) => `${prefix}${window.location.pathname}:${JSON.stringify(defaults)}`;

/** Keeps what was typed while its writer is at Keycloak, in this tab alone. It is given back once. */
export function keepDraft(defaults: unknown, values: unknown): void {
  try {
    window.sessionStorage.setItem(nameOf(defaults), JSON.stringify({ at: Date.now(), by: owner, values }));
  } catch {
    // A full or forbidden storage costs the draft and nothing else.
  }
}

export function takeDraft(defaults: unknown): unknown {
  try {
    const name = nameOf(defaults);
    const kept = window.sessionStorage.getItem(name);
    window.sessionStorage.removeItem(name);
    const draft = kept === null ? null : (JSON.parse(kept) as { at: number; by: string; values: unknown });
    return draft && draft.by === owner && Date.now() - draft.at < draftMinutes * 60_000 ? draft.values : null;
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
