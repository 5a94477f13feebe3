import { z } from "zod";
import { enterBreaker, isOpen, recordFailure, recordSuccess } from "./circuit-breaker";
import { now } from "./clock";
import { sha256Hex } from "./crypto";
import { env } from "./env";
import { SluiceError } from "./errors";
import { basicOf, keycloakClient, type KeycloakClient } from "./keycloak-clients";
import { callIdentity, endpoints, type HttpAnswer } from "./keycloak-discovery";
import { logger } from "./logger";
import { metrics } from "./metrics";
import { withRedis } from "./redis";

export { endpoints as keycloakEndpoints, forgetKeycloak, identityUnavailable, keycloakNow, retryAfterOf } from "./keycloak-discovery";
export { keycloakClient, type KeycloakClient, keycloakClientOf } from "./keycloak-clients";
export { verifyKeycloakToken } from "./keycloak-verify";

/** Instants are milliseconds of our clock: time of receipt plus lifetime, so that a skewed clock costs no refresh. */
export type TokenSet = {
  accessToken: string;
  expiresAt: number;
  expiresInSeconds: number;
  refreshToken: string | null;
  /** Null when it does not end (offline tokens without a limit) or was not said. */
  refreshExpiresAt: number | null;
  idToken: string | null;
  scope: string | null;
};

/**
 * `invalid_grant`: this token or password is no good, the reason is in `description`. `refused`: this request is no good
 * (consent gone, an ended subject token). `misconfigured`: our clients or the realm are set up wrongly, nobody's session
 * is to blame. `personal`: Keycloak does not do this for this person, such as a session too many or a token too large; it lasts,
 * and says nothing of the others. `busy`, `unavailable`: later.
 */
export type TokenErrorKind = "invalid_grant" | "refused" | "misconfigured" | "personal" | "busy" | "unavailable";

const tooLarge = "Your access token is too large for Keycloak to exchange, because it lists too many groups or roles. Ask an admin to put fewer of them into access tokens.";

/** Keycloak bounds each parameter of its token endpoint; a token with some hundred groups does not fit as `subject_token`. */
function isTooLarge(description = ""): boolean {
  return /size of OIDC parameter .* longer than allowed/i.test(description);
}

/** Leaves us as 503 `identity_unavailable` where no caller knows better, of kind `personal` as 403 `upstream_forbidden`. */
export class TokenEndpointError extends SluiceError {
  readonly kind: TokenErrorKind;
  /** Keycloak's `error`, such as `invalid_scope`; empty when it gave none. */
  readonly error: string;
  /** Keycloak's words, for our decisions and the log. */
  readonly description: string;
  readonly retryAfterSeconds?: number;

  constructor(kind: TokenErrorKind, said: { error?: string; description?: string; retryAfterSeconds?: number; cause?: unknown }) {
    if (kind === "personal") super("upstream_forbidden", isTooLarge(said.description) ? tooLarge : "Keycloak refuses this for your account. Ask an admin to look at your sessions and account in Keycloak.", { cause: said.cause });
    else super("identity_unavailable", "The identity service cannot do this now. Try again shortly.", { cause: said.cause, retryAfterSeconds: said.retryAfterSeconds ?? 2 });
    this.name = "TokenEndpointError";
    this.kind = kind;
    this.error = said.error ?? "";
    this.description = said.description ?? "";
    this.retryAfterSeconds = said.retryAfterSeconds;
  }
}

export function isTokenEndpointError(error: unknown, ...kinds: TokenErrorKind[]): error is TokenEndpointError {
  return error instanceof TokenEndpointError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Whether Keycloak refused a refresh token because its owner is disabled there: a word about the person, which no outage and no setting of ours brings about. */
export function saysDisabled(error: unknown): boolean {
  return isTokenEndpointError(error, "invalid_grant") && /^user disabled$/i.test(error.description.trim());
}

const tokenDeadlineMs = 8000;
const revokeDeadlineMs = 3000;
/** Keycloak waits up to 5 s for each client that it tells; one of them may be down. */
const signOutDeadlineMs = 7000;
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";

const TokenAnswer = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().nonnegative(),
  refresh_token: z.string().optional(),
  refresh_expires_in: z.number().optional(),
  id_token: z.string().optional(),
  scope: z.string().optional(),
});
const ErrorAnswer = z.object({ error: z.string().max(200), error_description: z.string().max(2000).optional() });

const breakerKey = () => `sl:idp:cb:${sha256Hex(env().KEYCLOAK_ISSUER).slice(0, 16)}`;

function callTokenEndpoint(client: KeycloakClient, form: Record<string, string>): Promise<HttpAnswer> {
  const authorization = basicOf(client);
  return underBreaker(async () => {
    const { token_endpoint: url } = await endpoints();
    const sentAt = performance.now();
    try {
      return await callIdentity(url, { method: "POST", deadlineMs: tokenDeadlineMs, headers: { authorization }, form: new URLSearchParams(form) });
    } catch (error) {
      countRefresh(client, form, "unavailable");
      throw error;
    } finally {
      timed(form, sentAt);
    }
  });
}

/**
 * One call of the token endpoint, unless it is being spared; what becomes of it is noted for all replicas.
 * @throws TokenEndpointError `unavailable` when there is no answer or none was asked for; SluiceError `store_unavailable`
 */
export async function underBreaker<T extends Pick<HttpAnswer, "status" | "retryAfterSeconds">>(call: () => Promise<T>): Promise<T> {
  const waitMs = await enterBreaker(breakerKey());
  if (waitMs > 0) throw new TokenEndpointError("unavailable", { description: "paused after failures", retryAfterSeconds: Math.ceil(waitMs / 1000) });
  let answer: T;
  try {
    answer = await call();
  } catch (cause) {
    await recordFailure(breakerKey()).catch(() => undefined);
    throw new TokenEndpointError("unavailable", { cause });
  }
  // The breaker is a courtesy: a store that hiccups now must not throw away a token that was just rotated.
  const noted = answer.status === 429 ? recordFailure(breakerKey(), (answer.retryAfterSeconds ?? 1) * 1000) : answer.status >= 500 ? recordFailure(breakerKey()) : recordSuccess(breakerKey());
  await noted.catch(() => undefined);
  return answer;
}

/** Whether calls to the token endpoint are held back now. @throws SluiceError `store_unavailable` */
export function isTokenEndpointPaused(): Promise<boolean> {
  return isOpen(breakerKey());
}

const grants = { refresh_token: "refresh_token", password: "password", authorization_code: "code", client_credentials: "client", [exchangeGrant]: "exchange" } as const;

function timed(form: Record<string, string>, sentAt: number): void {
  metrics.tokenEndpoint.observe((performance.now() - sentAt) / 1000, { grant: grants[form.grant_type as keyof typeof grants] ?? "assertion" });
}

/** One for each refresh token that went out, so that the sum is what Keycloak saw. */
function countRefresh(client: KeycloakClient, form: Record<string, string>, result: "ok" | TokenErrorKind, failure?: TokenEndpointError): void {
  if (form.grant_type === "refresh_token") metrics.refresh.inc({ result, reason: failure && (result === "invalid_grant" || result === "refused") ? reasonOf(failure) : "none", holder: client === "web" ? "session" : "grant" });
}

/** Keycloak's words, of which there are many, in the few that are kept as a label. */
function reasonOf({ error, description }: TokenEndpointError) {
  if (error === "invalid_scope") return "consent";
  if (/disabled/i.test(description)) return "user_disabled";
  if (/reuse/i.test(description)) return "reused";
  if (/stale/i.test(description)) return "stale";
  if (/session|required client|user not found/i.test(description)) return "ended";
  return /not active|expired/i.test(description) ? "expired" : "other";
}

/** All that an answer can say of our client, its settings or the realm. Any other error is about the person of this one request. */
const clientErrors = ["invalid_client", "unauthorized_client", "access_denied", "invalid_request", "invalid_scope", "unsupported_grant_type", "unsupported_token_type", "realm_disabled"];

function failureOf(answer: HttpAnswer, grantType: string | undefined): TokenEndpointError {
  const said = ErrorAnswer.safeParse(answer.json);
  const error = said.success ? said.data.error : "";
  const description = said.success ? (said.data.error_description ?? "") : "";
  const retryAfterSeconds = answer.retryAfterSeconds ?? undefined;
  if (answer.status === 429) return new TokenEndpointError("busy", { error, description, retryAfterSeconds: retryAfterSeconds ?? 1 });
  if (answer.status >= 500 || !error) return new TokenEndpointError("unavailable", { error, description, retryAfterSeconds });
  // What is said of an exchange's subject token says nothing of our settings.
  const aboutTheSubject = error === "invalid_grant" || error === "access_denied" || (error === "invalid_request" && /invalid (subject )?token/i.test(description));
  if (grantType === exchangeGrant && aboutTheSubject) return new TokenEndpointError("refused", { error, description });
  if (error === "invalid_grant") return new TokenEndpointError("invalid_grant", { error, description });
  // Of an exchange we choose the scope, by a setting.
  if ((error === "invalid_scope" && grantType !== exchangeGrant) || error === "not_allowed") return new TokenEndpointError("refused", { error, description });
  if (isTooLarge(description) || !clientErrors.includes(error)) return new TokenEndpointError("personal", { error, description });
  return new TokenEndpointError("misconfigured", { error, description, retryAfterSeconds: 5 });
}

/**
 * Asks the token endpoint once: 8 s in all and no second try, since a refresh token may be spent by the first.
 * @throws TokenEndpointError; SluiceError `store_unavailable` when the breaker's state cannot be read.
 */
export async function requestToken(client: KeycloakClient, form: Record<string, string>): Promise<TokenSet> {
  const answer = await callTokenEndpoint(client, form);
  if (answer.status !== 200) {
    const failure = failureOf(answer, form.grant_type);
    countRefresh(client, form, failure.kind, failure);
    throw await noted(client, form.grant_type, failure);
  }
  countRefresh(client, form, "ok");
  if (refusedClients.has(client)) await clientAccepted(client);
  const said = TokenAnswer.safeParse(answer.json);
  // The parser's complaint would quote the answer, so it is not kept.
  if (!said.success) throw new TokenEndpointError("unavailable", { description: "an unreadable answer" });
  const t = said.data;
  return {
    accessToken: t.access_token,
    expiresAt: now() + t.expires_in * 1000,
    expiresInSeconds: t.expires_in,
    refreshToken: t.refresh_token ?? null,
    refreshExpiresAt: t.refresh_expires_in ? now() + t.refresh_expires_in * 1000 : null,
    idToken: t.id_token ?? null,
    scope: t.scope ?? null,
  };
}

/** Clients of which this process knows that Keycloak refuses them. */
const refusedClients = new Set<KeycloakClient>();
const alertKey = (client: KeycloakClient) => `sl:idp:refused:${client}`;
const alertAgainMs = 600_000;

/** A wrong secret fails every call of everybody: one alert tells it for all replicas, and another one in ten minutes if nobody heard. */
async function noted(client: KeycloakClient, grantType: string | undefined, failure: TokenEndpointError): Promise<TokenEndpointError> {
  if (failure.kind !== "misconfigured") return failure;
  refusedClients.add(client);
  const isFirst = await withRedis((redis) => redis.set(alertKey(client), "1", "PX", alertAgainMs, "NX")).then((set) => set === "OK", () => true);
  const details = { client, grantType, error: failure.error, description: failure.description };
  if (isFirst) logger.error(details, "Keycloak refuses our client: its id, secret or settings are wrong");
  else logger.debug(details, "Keycloak still refuses our client");
  return failure;
}

async function clientAccepted(client: KeycloakClient): Promise<void> {
  refusedClients.delete(client);
  const told = await withRedis((redis) => redis.del(alertKey(client))).catch(() => 0);
  if (told > 0) logger.warn({ client }, "Keycloak accepts our client again");
}

export type ExchangedToken = { accessToken: string; expiresAt: number; expiresInSeconds: number };

/**
 * Narrows an access token to one engine's audience and scope (RFC 8693, Keycloak's standard exchange): what else it was given for, such
 * as offline access, is no business of the engine's. The refresh-token chain is not touched.
 * @throws TokenEndpointError, `refused` when the subject token has ended or belongs to somebody else's client.
 */
export async function exchangeToken(client: KeycloakClient, accessToken: string, engine: "nflow" | "flowise"): Promise<ExchangedToken> {
  const { NFLOW_AUDIENCE, NFLOW_SCOPE, FLOWISE_AUDIENCE, FLOWISE_SCOPE } = env();
  const [audience, scope] = engine === "nflow" ? [NFLOW_AUDIENCE, NFLOW_SCOPE] : [FLOWISE_AUDIENCE, FLOWISE_SCOPE];
  return requestToken(client, {
    grant_type: exchangeGrant,
    subject_token: accessToken,
    subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    audience,
    scope,
  });
}

/**
 * Revokes a refresh token, and with it every token of its client session (so never one whose successor is in use).
 * An already dead token is fine. @throws TokenEndpointError
 */
export async function revokeToken(client: KeycloakClient, refreshToken: string): Promise<void> {
  await tell(client, "revocation_endpoint", { token: refreshToken, token_type_hint: "refresh_token" }, revokeDeadlineMs);
}

/**
 * Ends Keycloak's own session behind a refresh token, spent or not, with all that every client holds of it; a session that is over
 * is fine. Each of those clients hears of it before the answer comes.
 * @throws TokenEndpointError, `invalid_grant` for a token that Keycloak does not know: whether the session lives, nobody can tell then.
 */
export async function endSessionAtKeycloak(client: KeycloakClient, refreshToken: string): Promise<void> {
  await tell(client, "end_session_endpoint", { refresh_token: refreshToken }, signOutDeadlineMs);
}

/** Says something that is answered with nothing. @throws TokenEndpointError */
async function tell(client: KeycloakClient, endpoint: "revocation_endpoint" | "end_session_endpoint", form: Record<string, string>, deadlineMs: number): Promise<void> {
  const authorization = basicOf(client);
  let answer: HttpAnswer;
  try {
    const { [endpoint]: url } = await endpoints();
    answer = await callIdentity(url, { method: "POST", deadlineMs, headers: { authorization }, form: new URLSearchParams(form) });
  } catch (cause) {
    throw new TokenEndpointError("unavailable", { cause });
  }
  if (answer.status !== 200 && answer.status !== 204) throw await noted(client, endpoint, failureOf(answer, undefined));
}

/** Keycloak's page that asks whether to sign out there (OpenID Connect RP-Initiated Logout 1.0, without a hint); `state` comes back with the browser. */
export async function endSessionUrl(postLogoutRedirect: string, state: string): Promise<string> {
  const url = new URL((await endpoints()).end_session_endpoint);
  url.searchParams.set("client_id", keycloakClient("web").id);
  url.searchParams.set("post_logout_redirect_uri", postLogoutRedirect);
  url.searchParams.set("state", state);
  return url.toString();
}
