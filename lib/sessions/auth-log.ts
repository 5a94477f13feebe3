import { now } from "@/lib/platform/clock";
import { logger } from "@/lib/platform/logger";

/** What any visitor can bring about by calling Auth.js's addresses with something else than a browser would send. */
const visitors = new Set(["MissingCSRF", "UnknownAction", "InvalidCheck", "InvalidCallbackUrl", "InvalidProvider", "UntrustedHost", "JWTSessionError", "AccessDenied", "UnsupportedStrategy"]);
const everyMs = 60_000;
let quietUntil = 0;
let unsaid = 0;

/** Anybody can begin a sign-in and come back with a code of their own making, which Keycloak then answers with `invalid_grant`. */
function isMadeUpCode({ cause }: Error): boolean {
  const inner: unknown = typeof cause === "object" && cause !== null && "err" in cause ? cause.err : cause;
  return typeof inner === "object" && inner !== null && "error" in inner && inner.error === "invalid_grant";
}

/**
 * Writes down an error of Auth.js with its causes. One that a visitor causes is a warning at most once a minute, with its name alone:
 * the message may repeat what they sent.
 */
export function logAuthError(error: Error): void {
  const type = "type" in error && typeof error.type === "string" ? error.type : error.name;
  if (!visitors.has(type) && !isMadeUpCode(error)) return logger.error({ err: error }, "a sign-in failed");
  unsaid += 1;
  if (now() < quietUntil) return;
  quietUntil = now() + everyMs;
  logger.warn({ type, count: unsaid }, "requests to the sign-in addresses were refused");
  unsaid = 0;
}
