import pino from "pino";

/**
 * Lines are collected and written together: a write for each would be a fifth of what a call costs. They go out after a
 * quarter of a second at the latest, at once when something is wrong, and before the process ends.
 */
const destination = pino.destination({ fd: 1, sync: false, minLength: 8192 });
setInterval(() => destination.flush(), 250).unref();
process.on("exit", () => {
  try {
    destination.flushSync();
  } catch { /* Whoever read our output is gone. */ }
});

const service = "sluice";

/**
 * One line per call, in pino's form, written without its machinery: it is made of what we chose ourselves, so nothing in
 * it needs to be looked for and taken out, and looking would cost more than the call.
 */
export function logRequest(fields: { requestId: string; method: string; path: string; status: number; ms: number; actor: string | undefined }): void {
  if (logger.isLevelEnabled("info")) destination.write(`${JSON.stringify({ level: 30, time: Date.now(), service, ...fields, msg: "request" })}\n`);
}

/**
 * JSON lines on stdout. Callers log ids and codes, never credentials; the redaction below is the net under that rule.
 * Not read from `env()`: the logger must work while the environment is being refused.
 */
export const logger = pino({
  level: process.env.LOG_LEVEL ?? "info",
  base: { service },
  hooks: {
    logMethod(args, method, level) {
      method.apply(this, args);
      if (level >= 40) destination.flush();
    },
  },
  redact: {
    paths: ["authorization", "cookie", "password", "secret", "token", "key", "*.authorization", "*.cookie", "*.password", "*.secret", "*.token", "*.key", "*.access_token", "*.refresh_token", "*.id_token", "headers", "*.headers", "body", "*.body"],
    censor: "[redacted]",
  },
  serializers: { err: safeError, error: safeError, cause: safeError },
}, destination);

/** Strings that look like our keys, tokens or a bearer value never pass, wherever a library put them. */
const secretLike = /\b[a-z][a-z0-9]{1,11}_[0-9A-Za-z]{43,}\b|eyJ[\w-]{8,}(\.[\w-]+){0,4}|(bearer|basic)\s+\S+/gi;

export function scrub(text: string): string {
  return text.replace(secretLike, "[redacted]");
}

/** Auth.js keeps the cause of an error beside its own notes, as `{ err, ...notes }`. The notes may hold what Keycloak sent and are left out. */
function innerError(cause: unknown): Error | null {
  return typeof cause === "object" && cause !== null && "err" in cause && cause.err instanceof Error ? cause.err : null;
}

/** What Keycloak said of a call, by its OAuth code: oauth4webapi's message leaves it out. */
function oauthCode(error: Error): { code: string; status?: number } | null {
  if (!("error" in error) || typeof error.error !== "string" || !/^[a-z_]{1,50}$/.test(error.error)) return null;
  return { code: error.error, ...("status" in error && typeof error.status === "number" && { status: error.status }) };
}

export function safeError(error: unknown): unknown {
  if (!(error instanceof Error)) {
    const inner = innerError(error);
    if (inner) return safeError(inner);
    if (typeof error === "object") return undefined;
    return typeof error === "string" ? scrub(error) : String(error);
  }
  return {
    // Class names are shortened in the build; Auth.js keeps the real one in `type`.
    type: "type" in error && typeof error.type === "string" ? error.type : error.name,
    message: scrub(error.message),
    ...oauthCode(error),
    stack: scrub(error.stack ?? ""),
    ...(error.cause !== undefined && { cause: safeError(error.cause) }),
  };
}

export type Logger = pino.Logger;
