import type { Permission } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { ownPath } from "@/lib/platform/own-path";
import type { Session } from "@/lib/sessions";

/** What a route or action says of itself, as far as it matters here. */
export type Changes = { method: string; path: string; permission?: Permission; fresh?: boolean };

/**
 * The one place that says which calls of the API want a recent proof of who is there: whatever an administrator changes, and what
 * says so itself. It concerns browser sessions only: a stolen cookie, or a machine left open, is what it guards against. What gives
 * an administrator's permissions to a key or token asks for itself (`requireFreshFor`).
 */
export function needsFresh({ method, path, permission, fresh }: Changes): boolean {
  const changes = !["get", "head", "options"].includes(method.toLowerCase());
  return fresh ?? (changes && (path.startsWith("/api/admin/") || (permission?.startsWith("admin:") ?? false)));
}

/**
 * @param path where the person is, to lead them back there from Keycloak.
 * @throws SluiceError `step_up_required` with `confirmUrl`, when they last proved who they are longer ago than `STEP_UP_MAX_AGE_SECONDS`.
 */
export function requireFresh(session: Session, path: string | null): void {
  const { AUTH_URL, STEP_UP_MAX_AGE_SECONDS: maxAge } = env();
  if (now() - session.provedAt <= maxAge * 1000) return;
  const minutes = Math.max(1, Math.round(maxAge / 60));
  throw new SluiceError("step_up_required", `This needs a sign-in of the last ${minutes === 1 ? "minute" : `${minutes} minutes`}. Confirm that it is you.`, {
    extra: { confirmUrl: `${AUTH_URL}/api/auth/confirm?returnTo=${encodeURIComponent(ownPath(path) ?? "/overview")}`, maxAgeSeconds: maxAge },
  });
}

/** The page that a call of the API came from, where the browser names one of ours. */
export function pageOf(referer: string | null): string | null {
  const { AUTH_URL } = env();
  if (!referer || !URL.canParse(referer)) return null;
  const url = new URL(referer);
  return url.origin === new URL(AUTH_URL).origin ? url.pathname + url.search : null;
}
