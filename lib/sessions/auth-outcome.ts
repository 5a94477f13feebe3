import "server-only";
import type { NextRequest } from "next/server";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { ownPath } from "@/lib/platform/own-path";
import type { Created } from "./create-session";
import { type Purpose, readPurpose } from "./purpose";

/** How a sign-in went, told by the callback that made the session to the door that answers the browser. */
const outcomes = new WeakMap<NextRequest, Created["outcome"] | "killed" | "not_confirmed">();

/** Runs the making of a session and notes how it went. */
export async function noteOutcome(request: NextRequest | undefined, make: () => Promise<Created>): Promise<Created> {
  try {
    const created = await make();
    if (request) outcomes.set(request, created.outcome);
    return created;
  } catch (error) {
    if (request && isSluiceError(error, "session_expired")) outcomes.set(request, "killed");
    if (request && isSluiceError(error, "step_up_required")) outcomes.set(request, "not_confirmed");
    throw error;
  }
}

type Start = (purpose: Purpose, parameters: Record<string, string>) => Promise<string>;

/**
 * Where the browser goes after Keycloak: what Auth.js says, with a word on how the confirmation or the account page went. A sign-in
 * that met the end of its Keycloak session is sent back once, to be asked for the password; if that was ended, too, they hear of it.
 */
export async function afterKeycloak(request: NextRequest, response: Response, start: Start): Promise<Response> {
  const purpose = await readPurpose(request.headers.get("cookie"));
  const outcome = outcomes.get(request);
  if (outcome === "killed" && purpose?.kind !== "again") {
    await nextSecond();
    return redirectTo(await start({ kind: "again", returnTo: purpose?.returnTo ?? wantedPath(request) }, { prompt: "login" }));
  }
  if (!purpose) return response;
  if (outcome === "killed") return redirectTo(`${env().AUTH_URL}/sign-in?${new URLSearchParams({ error: "session_expired", returnTo: purpose.returnTo })}`);
  const location = response.headers.get("location");
  const word = purpose.kind === "confirm" ? confirmWord(outcome) : purpose.kind === "account" ? accountWord(request) : null;
  if (!word || !location) return response;
  // Who failed to confirm is still signed in as before, and goes back to where they were instead of to sign in.
  const url = new URL(outcome === undefined || outcome === "not_confirmed" ? purpose.returnTo : location, env().AUTH_URL);
  url.searchParams.set(word.name, word.value);
  const headers = new Headers(response.headers);
  headers.set("location", url.toString());
  return new Response(null, { status: 302, headers });
}

/** Keycloak tells times in whole seconds, and equal ones count as ended: who gives the password at once must not meet the same end again. */
const nextSecond = () => new Promise((done) => setTimeout(done, 1000));

function confirmWord(outcome: Created["outcome"] | "killed" | "not_confirmed" | undefined): { name: string; value: string } {
  return { name: "confirm", value: outcome === "confirmed" ? "done" : outcome === "somebody_else" ? "other" : "failed" };
}

/** Keycloak's word on an action that was asked for by `kc_action`; none from a provider that knows no such actions. */
function accountWord(request: NextRequest): { name: string; value: string } {
  const said = request.nextUrl.searchParams.get("kc_action_status");
  return { name: "account", value: said === "success" ? "done" : said === "cancelled" ? "cancelled" : "unknown" };
}

/** Where a sign-in is to lead: Auth.js keeps it in a cookie, as an address of ours. */
export function wantedPath(request: NextRequest): string {
  const kept = request.cookies.getAll().find(({ name }) => name.endsWith("authjs.callback-url"))?.value ?? "";
  const { AUTH_URL } = env();
  return ownPath(kept.startsWith(`${AUTH_URL}/`) ? kept.slice(AUTH_URL.length) : kept) ?? "/overview";
}

/** The page behind a wanted address: a sign-in leads there by way of the owner's machine access. */
export function pageOf(path: string): string {
  const url = new URL(path, env().AUTH_URL);
  return (url.pathname === "/api/owner-grant/renew" ? ownPath(url.searchParams.get("returnTo")) : path) ?? "/overview";
}

export function redirectTo(url: string): Response {
  return new Response(null, { status: 302, headers: { location: url, "cache-control": "no-store", "referrer-policy": "no-referrer" } });
}
