import pino from "pino";

/**
 * JSON lines on stdout. Callers log ids and codes, never credentials; the redaction below is the net under that rule.
 * Not read from `env()`: the logger must work while the environment is being refused.
 */
export const logger = pino({
  level: process.env.LOG_LEVEL ?? "info",
  base: { service: "sluice" },
  redact: {
    paths: ["authorization", "cookie", "password", "secret", "token", "key", "*.authorization", "*.cookie", "*.password", "*.secret", "*.token", "*.key", "*.access_token", "*.refresh_token", "*.id_token", "headers", "*.headers", "body", "*.body"],
    censor: "[redacted]",
  },
  serializers: { err: safeError, error: safeError, cause: safeError },
});

/** Strings that look like our keys, tokens or a bearer value never pass, wherever a library put them. */
const secretLike = /\b[a-z][a-z0-9]{1,11}_[0-9A-Za-z]{43,}\b|eyJ[\w-]{8,}(\.[\w-]+){0,4}|(bearer|basic)\s+\S+/gi;

export function scrub(text: string): string {
  return text.replace(secretLike, "[redacted]");
}

function safeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? scrub(error) : String(error);
  return {
    type: error.name,
    message: scrub(error.message),
    stack: scrub(error.stack ?? ""),
    ...(error.cause !== undefined && { cause: safeError(error.cause) }),
  };
}

export type Logger = pino.Logger;
