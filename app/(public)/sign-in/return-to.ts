import { ownPath } from "@/lib/entry/portal";

/** A path of ours to go back to, else the overview; signing in does not lead to signing in, nor to where it ends while Keycloak is away. */
export function safeReturnTo(given: unknown): string {
  const path = ownPath(given);
  return path === null || path === "/" || path.startsWith("/sign-in") || path.startsWith("/signed-out") || path.startsWith("/identity-unavailable") ? "/overview" : path;
}
