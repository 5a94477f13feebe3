import type { Context } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { findSession } from "@/lib/sessions";
import { type Caller, type Credentials, identify } from "./identify";

/** In the request log, in place of an address that no route has: the path itself may hold anything. */
export const unknownRoute = "unknown";

/**
 * Who calls an address that answers nothing, so that the call is in their request log. Grants nothing. A key or token is checked, counted
 * and refused as on every other address. A cookie comes along by itself: one without a live session of ours is no attempt, and neither is
 * one that another site made the browser send.
 *
 * @returns null for strangers.
 */
export async function learnCaller(credentials: Credentials, caller: Caller): Promise<Context | null> {
  const { apiKey, authorization, cookie, origin, safe } = credentials;
  if (!apiKey && !authorization) {
    const isOwn = safe || origin === new URL(env().AUTH_URL).origin;
    if (cookie === null || !isOwn || !(await findSession(cookie).catch(() => null))) return null;
  }
  // Nothing is changed here, so nobody waits for Keycloak to confirm the session's role.
  return identify({ ...credentials, safe: true }, caller);
}
