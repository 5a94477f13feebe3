import "server-only";
import type { NextRequest } from "next/server";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { ownPath } from "@/lib/platform/own-path";
import { findPersonState } from "@/lib/tenants";
import { startAtKeycloak } from "./auth";
import { redirectTo } from "./auth-outcome";
import { findSession, type Session } from "./find-session";

/** Keycloak's own pages that one comes back from, by the names that our addresses have for them. */
const accountActions: Record<string, string> = { password: "UPDATE_PASSWORD", "second-factor": "CONFIGURE_TOTP" };

/**
 * `GET /api/auth/confirm?returnTo=`: to Keycloak and back, so that the session's proof of who this is becomes a recent one. It asks for
 * twice as recent a proof as is needed, or one that is just good enough would be too old a moment later.
 */
export function confirmDoor(request: NextRequest): Promise<Response> {
  return toKeycloak(request, "confirm", async (session, returnTo) => {
    const maxAgeSeconds = Math.floor(env().STEP_UP_MAX_AGE_SECONDS / 2);
    const username = (await findPersonState(session.userId))?.person.username;
    return startAtKeycloak({ kind: "confirm", userId: session.userId, maxAgeSeconds, returnTo }, { max_age: String(maxAgeSeconds), ...(username && { login_hint: username }) });
  });
}

/** `GET /api/auth/account?do=password|second-factor&returnTo=`: Keycloak's page for it, and back. */
export function accountDoor(request: NextRequest): Promise<Response> {
  return toKeycloak(request, "account", async (_session, returnTo) => {
    const action = accountActions[request.nextUrl.searchParams.get("do") ?? ""];
    return action ? startAtKeycloak({ kind: "account", returnTo }, { kc_action: action }) : env().AUTH_URL + returnTo;
  });
}

/** People see these answers, so whatever fails leads back with a word on it. */
async function toKeycloak(request: NextRequest, word: string, start: (session: Session, returnTo: string) => Promise<string>): Promise<Response> {
  const returnTo = ownPath(request.nextUrl.searchParams.get("returnTo")) ?? "/overview";
  const { AUTH_URL } = env();
  try {
    const session = await findSession(request.headers.get("cookie"));
    if (session) return redirectTo(await start(session, returnTo));
  } catch (error) {
    if (!isSluiceError(error, "session_expired")) {
      logger.error({ err: error }, "a browser could not be sent to Keycloak");
      const back = new URL(returnTo, AUTH_URL);
      back.searchParams.set(word, "failed");
      return redirectTo(back.toString());
    }
  }
  return redirectTo(`${AUTH_URL}/sign-in?returnTo=${encodeURIComponent(returnTo)}`);
}
