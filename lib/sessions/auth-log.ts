import { now } from "@/lib/platform/clock";
import { logger } from "@/lib/platform/logger";

/** What any visitor can bring about by calling Auth.js's addresses with something else than a browser would send. */
const visitors = new Set(["MissingCSRF", "UnknownAction", "InvalidCheck", "InvalidCallbackUrl", "InvalidProvider", "UntrustedHost", "JWTSessionError", "AccessDenied", "UnsupportedStrategy"]);
const everyMs = 60_000;
/** Failures with their causes, in a minute: anybody can begin sign-ins and spoil them. */
const failuresMax = 20;
let quietUntil = 0;
let unsaid = 0;
let failures = { until: 0, count: 0 };

/** A body that is no JSON, or a provider that does not exist: Auth.js throws plain errors for these, which repeat what was sent. */
function isMalformed(error: Error): boolean {
  return error.cause === undefined && (error instanceof SyntaxError || error.message.startsWith("Provider with id "));
}

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
  if (!visitors.has(type) && !isMalformed(error) && !isMadeUpCode(error)) return logFailure(error);
  unsaid += 1;
  if (now() < quietUntil) return;
  quietUntil = now() + everyMs;
  logger.warn({ type, count: unsaid }, "requests to the sign-in addresses were refused");
  unsaid = 0;
}

function logFailure(error: Error): void {
  if (now() >= failures.until) failures = { until: now() + everyMs, count: 0 };
  failures.count += 1;
  if (failures.count <= failuresMax) logger.error({ err: error }, "a sign-in failed");
  else if (failures.count === failuresMax + 1) logger.warn({ perMinute: failuresMax }, "more sign-ins failed; their causes are not written before the next minute");
}
