import { AsyncLocalStorage } from "node:async_hooks";
import { type ErrorCode, isSluiceError } from "@/lib/platform/errors";
import { identityUnavailable, retryAfterOf, TokenEndpointError, underBreaker } from "@/lib/platform/keycloak";

/**
 * Auth.js fetches from Keycloak by itself, and knows neither deadlines nor our breaker; and whatever fails, it says
 * `Configuration`. Here both are mended: its calls end in time, and the sign-in page learns what is away.
 */
const readDeadlineMs = 3000;
/** As long as any other call of the token endpoint: a code is spent by the first try. */
const codeDeadlineMs = 8000;

/** @throws SluiceError `identity_unavailable` when Keycloak does not answer, or as one that cannot serve now; `store_unavailable` */
export const fetchFromKeycloak: typeof fetch = async (input, init) => {
  if (init?.method !== "POST") return withDeadline(input, init, readDeadlineMs).catch((cause: unknown) => { throw identityUnavailable(cause); });
  const { response } = await underBreaker(async () => {
    const answer = await withDeadline(input, init, codeDeadlineMs);
    return { response: answer, status: answer.status, retryAfterSeconds: retryAfterOf(answer.headers.get("retry-after")) };
  });
  if (response.status === 429 || response.status >= 500) throw new TokenEndpointError("unavailable", { description: `answered ${response.status} while somebody signed in` });
  return response;
};

/** The whole answer in time, its body included. */
async function withDeadline(input: Parameters<typeof fetch>[0], init: RequestInit | undefined, ms: number): Promise<Response> {
  const answer = await fetch(input, { ...init, signal: AbortSignal.timeout(ms) });
  const { status, headers } = answer;
  const body = await answer.arrayBuffer();
  return new Response(body.byteLength > 0 ? body : null, { status, headers });
}

/** `client_refused`: Keycloak does not take our client secret. `token_refused`: we cannot verify what Keycloak signed. */
type Trouble = Extract<ErrorCode, "identity_unavailable" | "store_unavailable"> | "client_refused" | "token_refused";
const noticed = new AsyncLocalStorage<{ trouble: Trouble | null }>();

/** Runs a piece of Auth.js, and tells beside its outcome what was away meanwhile. */
export async function noticingTrouble<T>(run: () => Promise<T>): Promise<{ value: T; trouble: Trouble | null }> {
  const notes = { trouble: null as Trouble | null };
  const value = await noticed.run(notes, run);
  return { value, trouble: notes.trouble };
}

function troubleOf(error: Error): Trouble | null {
  if (isSluiceError(error, "identity_unavailable") || isSluiceError(error, "store_unavailable")) return error.code as Trouble;
  if (isSluiceError(error, "invalid_credentials")) return "token_refused";
  // oauth4webapi has two errors for it: one with Keycloak's code, one with the status where Keycloak also sends a challenge.
  const { error: code, status } = error as { error?: unknown; status?: unknown };
  return code === "invalid_client" || code === "unauthorized_client" || status === 401 ? "client_refused" : null;
}

/** For Auth.js's logger, the one place that sees an error with its causes. */
export function noteTrouble(error: unknown): void {
  const notes = noticed.getStore();
  for (let at = error, depth = 0; notes && at instanceof Error && depth < 5; depth++) {
    notes.trouble = troubleOf(at) ?? notes.trouble;
    const { cause } = at;
    at = typeof cause === "object" && cause !== null && "err" in cause ? cause.err : cause;
  }
}

/** Where somebody who wanted to sign in learns what is away. @param returnTo where signing in was to lead. */
export function faceOf(trouble: Trouble, returnTo: string): string {
  return trouble === "identity_unavailable" ? `/identity-unavailable?${new URLSearchParams({ returnTo })}` : `/sign-in?${new URLSearchParams({ error: trouble, returnTo })}`;
}

/** An answer of Auth.js that leads to its error page, which would say `Configuration`, leads to the face of what is away instead. */
export function namingTrouble(response: Response, trouble: Trouble | null, returnTo: string): Response {
  const location = response.headers.get("location");
  if (!trouble || !location || !/[?&]error=/.test(location)) return response;
  const headers = new Headers(response.headers);
  headers.set("location", new URL(faceOf(trouble, returnTo), location).toString());
  return new Response(null, { status: response.status, headers });
}
