import { type ErrorCode, SluiceError } from "./errors";

/** RFC 9457, with our `code` and `requestId`; `error` repeats `detail` for clients that read that member. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  requestId: string;
  error: string;
  errors?: { pointer: string; detail: string }[];
  [extra: string]: unknown;
};

/** The one place where a code becomes a status. A new code does not compile until it has a line here. */
export const problems: Record<ErrorCode, { status: number; title: string }> = {
  malformed_json: { status: 400, title: "The body is not JSON" },
  ambiguous_credentials: { status: 400, title: "Two different credentials" },
  bad_request: { status: 400, title: "Bad request" },
  missing_credentials: { status: 401, title: "Credentials are missing" },
  invalid_credentials: { status: 401, title: "Credentials are not valid" },
  key_revoked: { status: 401, title: "The API key was revoked" },
  key_expired: { status: 401, title: "The API key has expired" },
  key_disabled: { status: 401, title: "The API key is disabled" },
  key_rotated: { status: 401, title: "The API key was rotated" },
  token_expired: { status: 401, title: "The token has expired" },
  session_expired: { status: 401, title: "The session has ended" },
  out_of_credits: { status: 402, title: "Not enough credits" },
  insufficient_permission: { status: 403, title: "Permission is missing" },
  permission_escalation: { status: 403, title: "More than the caller holds" },
  ip_not_allowed: { status: 403, title: "Address is not allowed" },
  owner_disabled: { status: 403, title: "The owner is disabled" },
  owner_reauth_required: { status: 403, title: "The owner must give machine access" },
  upstream_forbidden: { status: 403, title: "The engine does not allow this" },
  password_grant_disabled: { status: 403, title: "Sign-in by password is switched off" },
  cross_origin: { status: 403, title: "The request comes from another origin" },
  step_up_required: { status: 403, title: "Sign in again to do this" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  not_acceptable: { status: 406, title: "Not acceptable" },
  request_timeout: { status: 408, title: "The request took too long to arrive" },
  body_too_large: { status: 413, title: "The body is too large" },
  address_too_long: { status: 414, title: "The address is too long" },
  headers_too_large: { status: 431, title: "The headers are too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  conflict: { status: 409, title: "Conflict" },
  key_limit_reached: { status: 409, title: "No more API keys" },
  idempotency_conflict: { status: 409, title: "The idempotency key was used before" },
  already_inactive: { status: 409, title: "Already removed" },
  upstream_action_required: { status: 412, title: "The engine needs a step in its own interface" },
  validation_failed: { status: 422, title: "The input is not valid" },
  rate_limited: { status: 429, title: "Too many requests" },
  client_closed: { status: 499, title: "The caller closed the connection" },
  internal_error: { status: 500, title: "Something went wrong here" },
  upstream_error: { status: 502, title: "The engine failed" },
  upstream_unauthorised: { status: 502, title: "The engine refused our credentials" },
  upstream_timeout: { status: 504, title: "The engine did not answer in time" },
  identity_unavailable: { status: 503, title: "The identity service is unavailable" },
  auth_busy: { status: 503, title: "Signing in is busy" },
  store_unavailable: { status: 503, title: "A store is unavailable" },
};

/** What leaves the process for any failure. Unknown errors say nothing but the request id. */
export function toProblem(error: unknown, at: { baseUrl: string; path: string; requestId: string }): Problem {
  const known = error instanceof SluiceError ? error : new SluiceError("internal_error", "Something went wrong here. The request id helps us to find out what.");
  const row = problems[known.code];
  return {
    type: `${at.baseUrl}/docs/errors/${known.code}`,
    title: row.title,
    status: known.options.status ?? row.status,
    detail: known.detail,
    instance: at.path,
    code: known.code,
    requestId: at.requestId,
    error: known.detail,
    ...(known.options.errors && { errors: known.options.errors }),
    ...known.options.extra,
  };
}

/** For a 503 that knows no better, such as a service account that the operator has not set up. */
const unavailableSeconds = 30;

/** The headers that go with it. */
export function problemHeaders(error: unknown): Record<string, string> {
  if (!(error instanceof SluiceError)) return {};
  const status = problems[error.code].status;
  const retryAfterSeconds = error.options.retryAfterSeconds ?? (status === 503 ? unavailableSeconds : undefined);
  return {
    ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
    ...(retryAfterSeconds !== undefined && { "Retry-After": String(Math.max(1, Math.ceil(retryAfterSeconds))) }),
    ...error.options.headers,
  };
}
