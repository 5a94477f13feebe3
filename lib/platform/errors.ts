/**
 * The ways we can fail. Domain code throws these; `problem.ts` alone knows what they mean in HTTP.
 * The codes are those of the HTTP contract, section 2.
 */
export type ErrorCode =
  | "malformed_json" | "ambiguous_credentials" | "bad_request"
  | "missing_credentials" | "invalid_credentials" | "key_revoked" | "key_expired" | "key_disabled" | "key_rotated"
  | "token_expired" | "session_expired"
  | "out_of_credits"
  | "insufficient_permission" | "permission_escalation" | "ip_not_allowed" | "owner_disabled" | "owner_reauth_required"
  | "upstream_forbidden" | "password_grant_disabled" | "cross_origin" | "step_up_required"
  | "not_found"
  | "method_not_allowed" | "not_acceptable" | "request_timeout" | "body_too_large" | "address_too_long" | "unsupported_media_type" | "headers_too_large"
  | "conflict" | "key_limit_reached" | "idempotency_conflict" | "already_inactive" | "upstream_action_required"
  | "validation_failed"
  | "rate_limited"
  | "client_closed"
  | "internal_error"
  | "upstream_error" | "upstream_unauthorised" | "upstream_timeout"
  | "identity_unavailable" | "auth_busy" | "store_unavailable";

/** One thing wrong with the input: where (JSON pointer, `""` for the whole) and what. */
export type InputError = { pointer: string; detail: string };

/** Why a call was refused: which check spoke, what it saw and what it would have accepted. Safe to show to the caller. */
export type Decision = { check: string; seen: string | number | string[] | null; limit: string | number | string[] | null };

export type ErrorOptions = {
  /** Kept for the log, never shown. */
  cause?: unknown;
  errors?: InputError[];
  /** Further members of the problem, safe to show: `grantUrl`, `refId`, `upstreamErrors`, `permission`. */
  extra?: Record<string, unknown>;
  /** Seconds, at least 1, for `Retry-After`. */
  retryAfterSeconds?: number;
  /** Headers that belong to this failure, such as the rate limit's. */
  headers?: Record<string, string>;
  /** For refusals, which are kept for a day: see `lib/usage`. */
  decision?: Decision;
  /** For an engine's answer that keeps its own status (400, 404, 409, 422 of NFlow). */
  status?: number;
};

/** A failure that has a name. `detail` is safe to show to whoever called. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly options: ErrorOptions;
  /** What alone reaches a page's error face in the browser: Next.js hides messages there, and keeps a digest that is set. */
  readonly digest: string;

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    // Where a refusal was thrown says nothing that its code does not, and finding out costs more than the refusal. Whoever
    // guesses keys makes thousands of these a second.
    const limit = Error.stackTraceLimit;
    if (code !== "internal_error") Error.stackTraceLimit = 0;
    super(`${code}: ${detail}`, { cause: options.cause });
    Error.stackTraceLimit = limit;
    this.name = "SluiceError";
    this.code = code;
    this.detail = detail;
    this.options = options;
    this.digest = `sluice.${code}`;
  }
}

export function notFound(what = "Not found."): SluiceError {
  return new SluiceError("not_found", what);
}

export function invalid(errors: InputError[]): SluiceError {
  const first = errors[0];
  const detail = first ? `${first.pointer || "The input"}: ${first.detail}` : "The input is not valid.";
  return new SluiceError("validation_failed", detail, { errors });
}

export function storeUnavailable(cause: unknown): SluiceError {
  return new SluiceError("store_unavailable", "A store that this needs does not answer. Try again shortly.", { cause, retryAfterSeconds: 2 });
}

/** The caller closed the connection before the answer. Nobody reads this; it is what the request log and the metrics say. */
export function clientClosed(cause?: unknown): SluiceError {
  return new SluiceError("client_closed", "The caller closed the connection before the answer.", { cause });
}

export function isSluiceError(error: unknown, ...codes: ErrorCode[]): error is SluiceError {
  return error instanceof SluiceError && (codes.length === 0 || codes.includes(error.code));
}
