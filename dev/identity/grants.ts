import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { AuthorizationCodeModel, Provider } from "oidc-provider";
import { type Form, OAuthError } from "./oauth";
import { type Client, lifetimes, newSid, nowSeconds, type Person, sidOf } from "./realm";
import { grantedScope, type Realm, type Tokens } from "./tokens";

/** What a grant needs to answer. */
export type GrantCall = { realm: Realm; tokens: Tokens; provider: Provider; client: Client; form: Form };

type Answer = Record<string, unknown>;

export const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";

/** One handler per `grant_type`. All throw {@link OAuthError} with the words Keycloak uses. */
export const grants: Record<string, (call: GrantCall) => Promise<Answer>> = {
  authorization_code: redeemCode,
  refresh_token: refresh,
  password: signInByPassword,
  client_credentials: actAsService,
  [exchangeGrant]: exchange,
};

// Looking a code up is asynchronous: two requests may both have found it unused. This decides who was first.
const redeemed = new Set<string>();

async function redeemCode({ realm, tokens, provider, client, form }: GrantCall): Promise<Answer> {
  if (!form.code) throw new OAuthError(400, "invalid_request", "Missing parameter: code");
  const code = await provider.AuthorizationCode.find(form.code);
  if (!code || code.clientId !== client.clientId) throw new OAuthError(400, "invalid_grant", "Code not valid");

  const sid = sidOf(code.sessionUid);
  const scope = grantedScope(requestedScopes(code));
  const offline = scope.split(" ").includes("offline_access");
  if (code.consumed || redeemed.has(code.jti)) {
    const made = realm.sessions.findClientSession(sid, client.clientId, offline);
    if (made) realm.sessions.endClientSession(made);
    throw new OAuthError(400, "invalid_grant", "Code not valid");
  }
  redeemed.add(code.jti);
  setTimeout(() => redeemed.delete(code.jti), lifetimes.code * 1000).unref();
  await code.consume();
  if (code.redirectUri !== form.redirect_uri) throw new OAuthError(400, "invalid_grant", "Incorrect redirect_uri");
  if (!form.code_verifier) throw new OAuthError(400, "invalid_grant", "PKCE code verifier not specified");
  if (!isVerifierOf(code.codeChallenge, form.code_verifier)) throw new OAuthError(400, "invalid_grant", "PKCE verification failed: Code mismatch");
  const person = activePerson(realm, code.accountId, "User not found");
  const sso = realm.sessions.findSso(sid);
  if (!sso) throw new OAuthError(400, "invalid_grant", "Session not active");

  const start = { sid, clientId: client.clientId, userId: person.id, startedAt: sso.startedAt, authTime: sso.authTime, acr: code.acr ?? "1" };
  const session = realm.sessions.openClientSession({ ...start, offline });
  // A browser that came for nothing but an offline token is not left signed in; in one that was, the client hears of the sign-out.
  if (offline && realm.sessions.onlineClientsOf(sid).length === 0) realm.sessions.endSso(sid);
  else if (offline) realm.sessions.openClientSession({ ...start, offline: false });
  return tokens.answer({ client, session, person, scope }, randomUUID(), { nonce: code.nonce });
}

/** The scopes asked for; the provider knows `offline_access` under another name, see `provider.ts`. */
function requestedScopes(code: AuthorizationCodeModel): string[] {
  return (code.scope ?? "").split(" ").map((scope) => (scope === "offline" ? "offline_access" : scope));
}

function isVerifierOf(challenge: string, verifier: string): boolean {
  const made = createHash("sha256").update(verifier).digest();
  const wanted = Buffer.from(challenge, "base64url");
  return made.length === wanted.length && timingSafeEqual(made, wanted);
}

async function refresh({ realm, tokens, client, form }: GrantCall): Promise<Answer> {
  if (!form.refresh_token) throw new OAuthError(400, "invalid_request", "No refresh token");
  const token = await tokens.verifyRefresh(form.refresh_token);
  if (!token) throw new OAuthError(400, "invalid_grant", "Invalid refresh token");
  if (token.iss !== realm.issuer) throw new OAuthError(400, "invalid_grant", `Invalid token issuer. Expected '${realm.issuer}'`);
  if (token.azp !== client.clientId) throw new OAuthError(400, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match");

  const offline = token.typ === "Offline";
  const goneWords = offline ? "Offline user session not found" : "Session not active";
  const session = realm.sessions.findClientSession(token.sid, client.clientId, offline);
  if (!session) throw new OAuthError(400, "invalid_grant", realm.sessions.isDetached(token.sid, client.clientId, offline) ? "Session doesn't have required client" : goneWords);
  const person = activePerson(realm, token.sub, goneWords);
  const fault = realm.sessions.ageFault(session, token);
  if (fault) throw new OAuthError(400, "invalid_grant", fault);
  if (client.consentRequired && !realm.sessions.consentOf(person.id, client.clientId)) {
    throw new OAuthError(400, "invalid_scope", "Client no longer has requested consent from user");
  }
  const rotationFault = realm.sessions.useRefreshToken(session, { id: token.jti, chain: token.chain, sequence: token.sequence });
  if (rotationFault) throw new OAuthError(400, "invalid_grant", rotationFault);

  realm.sessions.touch(session);
  // Signing in again moves the time for all tokens of the browser's session, older ones included.
  if (!offline) session.authTime = realm.sessions.findSso(token.sid)?.authTime ?? session.authTime;
  return tokens.answer({ client, session, person, scope: token.scope }, token.chain);
}

/** Keycloak's brute force protection lets one sign-in of a person be under way, and refuses others as if the password were wrong. */
const signingIn = new Set<string>();
const hashingMs = 20;

async function signInByPassword(call: GrantCall): Promise<Answer> {
  const person = call.realm.directory.findByLogin(call.form.username ?? "");
  if (!person || !call.realm.settings.bruteForceProtected) return checkPassword(call);
  if (signingIn.has(person.id)) throw new OAuthError(400, "invalid_grant", "Invalid user credentials");
  signingIn.add(person.id);
  try {
    await pause(hashingMs);
    return await checkPassword(call);
  } finally {
    signingIn.delete(person.id);
  }
}

async function checkPassword({ realm, tokens, client, form }: GrantCall): Promise<Answer> {
  if (!client.enabledFlows.has("password")) throw new OAuthError(400, "unauthorized_client", "Client not allowed for direct access grants");
  const requested = scopesOf(form, client);
  const person = realm.directory.findByLogin(form.username ?? "");
  if (!person || !realm.directory.isPassword(person.id, form.password ?? "")) throw new OAuthError(400, "invalid_grant", "Invalid user credentials");
  if (!realm.directory.isEnabled(person.id)) throw new OAuthError(400, "invalid_grant", "Account disabled");

  const scope = grantedScope(requested);
  const offline = requested.includes("offline_access");
  const sid = newSid();
  const startedAt = nowSeconds();
  if (!offline) realm.sessions.openSso({ sid, uid: null, userId: person.id, authTime: null });
  const session = realm.sessions.openClientSession({ sid, clientId: client.clientId, userId: person.id, offline, startedAt, authTime: null, acr: "1" });
  return tokens.answer({ client, session, person, scope }, randomUUID());
}

/** @throws OAuthError 400 for a scope the client does not have. */
function scopesOf(form: Form, client: Client): string[] {
  const requested = (form.scope ?? "").split(" ").filter(Boolean);
  const known = ["openid", "profile", "email", "roles", "basic", "acr", "organization", ...(client.offlineAllowed ? ["offline_access"] : [])];
  if (requested.some((scope) => !known.includes(scope))) throw new OAuthError(400, "invalid_scope", `Invalid scopes: ${form.scope}`);
  return requested;
}

async function actAsService({ tokens, client }: GrantCall): Promise<Answer> {
  if (!client.enabledFlows.has("service")) throw new OAuthError(401, "unauthorized_client", "Client not enabled to retrieve service account");
  const { token, expiresIn } = await tokens.serviceAccess(client);
  return { access_token: token, expires_in: expiresIn, refresh_expires_in: 0, token_type: "Bearer", "not-before-policy": 0, scope: "email profile" };
}

/** Standard token exchange: narrows the audience of a living access token; makes no session and no refresh token. */
async function exchange({ realm, tokens, client, form }: GrantCall): Promise<Answer> {
  if (!client.enabledFlows.has("exchange")) throw new OAuthError(400, "invalid_request", "Standard token exchange is not enabled for the requested client");
  if (!form.subject_token) throw new OAuthError(400, "invalid_request", "Parameter 'subject_token' is required for the request");
  if (form.subject_token_type !== accessTokenType) throw new OAuthError(400, "invalid_request", "Parameter 'subject_token' supports access tokens only");
  if ((form.requested_token_type ?? accessTokenType) !== accessTokenType) throw new OAuthError(400, "invalid_request", "requested_token_type unsupported");

  const subject = await tokens.verifyAccess(form.subject_token);
  const session = subject && tokens.sessionOf(subject);
  if (!subject || !session) throw new OAuthError(400, "invalid_request", "Invalid token");
  const held = [subject.aud ?? []].flat();
  if (subject.azp !== client.clientId && !held.includes(client.clientId)) {
    throw new OAuthError(403, "access_denied", "Client is not within the token audience");
  }
  const audience = audienceOf(realm, client, form.audience);
  const person = activePerson(realm, subject.sub, "Invalid token", "invalid_request");
  const scope = form.scope === undefined ? (subject.scope ?? "") : grantedScope(scopesOf(form, client));
  const { token, expiresIn } = await tokens.access({ client, session, person, scope }, { audience });
  return {
    access_token: token, expires_in: expiresIn, refresh_expires_in: 0, token_type: "Bearer", "not-before-policy": 0,
    session_state: session.sid, scope, issued_token_type: accessTokenType,
  };
}

function audienceOf(realm: Realm, client: Client, wanted: string | undefined): string | readonly string[] {
  if (wanted === undefined) return client.audiences;
  if (!realm.clients.has(wanted)) throw new OAuthError(400, "invalid_client", "Audience not found");
  if (!client.audiences.includes(wanted)) throw new OAuthError(400, "invalid_request", `Requested audience not available: ${wanted}`);
  return wanted;
}

function activePerson(realm: Realm, userId: string, goneWords: string, error = "invalid_grant"): Person {
  const person = realm.directory.find(userId);
  if (!person) throw new OAuthError(400, error, goneWords);
  if (!realm.directory.isEnabled(userId)) throw new OAuthError(400, error, error === "invalid_grant" ? "User disabled" : goneWords);
  return person;
}
