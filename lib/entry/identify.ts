import { decodeJwt, type JWTPayload } from "jose";
import { type Actor, type CallTrace, type Context, type Permission, type Person, roleMask } from "@/lib/access";
import { checkCall, countFailure, countHere, looksLikeSecret, noteCaller, noteRefused, type Verdict } from "@/lib/keys";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { findSession, isSignInEnded, refuseEndedSession, renewRole } from "@/lib/sessions";
import { findPersonState, findUserId, identityOf, rememberPerson } from "@/lib/tenants";
import { ownerOfExpired, refuseEnded, verifyAccessToken } from "@/lib/tokens";
import { byAdminToken } from "./bootstrap";
import { refuseFlood, rememberFlood, rememberToken } from "./flood";
import { pageOf, requireFresh } from "./require-fresh";

/** What a request brings of its caller, whichever door it came through. */
export type Credentials = {
  apiKey: string | null;
  authorization: string | null;
  cookie: string | null;
  origin: string | null;
  /** GET, HEAD and OPTIONS change nothing and so need no `Origin` with a cookie. */
  safe: boolean;
  /** The page that the call came from, as its browser says. */
  referer: string | null;
};

export type Caller = { requestId: string; ip: string | null; userAgent: string | null; call?: CallTrace };

/**
 * Learns who is calling, once per request, and takes from their limits: contract sections 1 and 3. An explicit header
 * wins over the cookie that comes along by itself.
 *
 * @param permission asked in the same check, before the limits, so that what is refused here has taken nothing.
 * @param bootstrap where the operator's token is accepted too, and what is asked for; only as `Authorization: Bearer`.
 */
export async function identify(credentials: Credentials, caller: Caller, permission?: Permission, bootstrap?: { method: string; path: string }): Promise<Context> {
  try {
    const presented = headerCredential(credentials);
    // The key check counts what does not look like a key for this process alone; here it may be a guess at the token.
    if (bootstrap && presented !== null && !credentials.apiKey && !looksLikeJwt(presented) && !looksLikeSecret(presented)) {
      const ctx = await byAdminToken(presented, caller, bootstrap);
      if (ctx) return ctx;
      throw new SluiceError("invalid_credentials", "The credentials are not valid.");
    }
    if (presented === null) return await bySession(credentials, caller, permission);
    return looksLikeJwt(presented) ? await byToken(presented, caller, permission) : await byKey(presented, caller, permission);
  } catch (error) {
    // The key check counts what it refuses itself.
    if (isSluiceError(error, "missing_credentials", "invalid_credentials", "token_expired") && !fromKeyCheck.has(error)) await countFailedCall(caller, error);
    if (isSluiceError(error, "session_expired")) throw countHere(caller.ip, "ended session") ?? error;
    throw error;
  }
}

/**
 * Failing traffic is limited by address. A store that is away must not hide the 401.
 * @throws SluiceError `rate_limited` over the limit; else nothing of its own
 */
export async function countFailedCall(caller: Caller, error: SluiceError): Promise<void> {
  if (!caller.ip) return;
  refuseFlood(caller.ip);
  try {
    await countFailure(caller.ip);
  } catch (limit) {
    if (isSluiceError(limit, "rate_limited")) {
      rememberFlood(caller.ip, limit.options.retryAfterSeconds ?? 1);
      throw limit;
    }
    if (!isSluiceError(limit, "store_unavailable")) throw error;
  }
}

/** Several headers of one name arrive joined by a comma and a space, which no key or token contains. */
function headerCredential({ apiKey, authorization }: Credentials): string | null {
  const keys = apiKey?.split(", ").map((one) => one.trim()).filter((one) => one !== "") ?? [];
  const bearers = authorization?.split(", ").map((one) => /^\s*bearer\s+(\S+)\s*$/i.exec(one)?.[1]) ?? [];
  const [presented = null, ...others] = [...keys, ...bearers];
  if (bearers.includes(undefined)) throw new SluiceError("invalid_credentials", "Authorization must be `Bearer <key or token>`.");
  if (others.some((other) => other !== presented)) throw new SluiceError("ambiguous_credentials", "Two different credentials came with this call. Send one.");
  return presented;
}

function looksLikeJwt(credential: string): boolean {
  return credential.startsWith("eyJ") && credential.split(".").length === 3;
}

async function byKey(secret: string, caller: Caller, permission?: Permission): Promise<Context> {
  const verdict = admitted(await checkCall({ kind: "secret", secret }, { permission, requestId: caller.requestId, ip: caller.ip, cost: 1 }), caller);
  return contextOf(verdict, keyActor(verdict), caller);
}

async function byToken(token: string, caller: Caller, permission?: Permission): Promise<Context> {
  // A signature is dear to verify: who has sent too many bad ones is not listened to for a while.
  refuseFlood(caller.ip, token);
  const issuer = issuerOf(token);
  if (issuer === env().AUTH_URL) {
    const claims = await verifyAccessToken(token).catch((error: unknown) => {
      noteRefused(caller.call, ownerOfExpired(error));
      throw error;
    });
    rememberToken(token);
    noteRefused(caller.call, claims);
    const { familyId, permissions } = claims;
    const refuseIfEnded = async () => { if (claims.leansOn) await refuseEnded(claims.leansOn, { issuer: env().KEYCLOAK_ISSUER, sub: claims.sub }); };
    await refuseIfEnded();
    const options = { permission, requestId: caller.requestId, ip: caller.ip, cost: 1 as const };
    const verdict = admitted(await checkCall(claims.apiKeyId ? { kind: "key", apiKeyId: claims.apiKeyId, familyId, permissions } : { kind: "user", userId: claims.userId, familyId, permissions }, options), caller);
    const actor = claims.apiKeyId ? keyActor(verdict, familyId) : ({ type: "user", person: verdict.person, credential: { kind: "gateway", familyId } } as const);
    return { ...contextOf(verdict, actor, caller, claims.chatflowIds), refuseIfEnded };
  }
  if (issuer !== env().KEYCLOAK_ISSUER) throw new SluiceError("invalid_credentials", "The token was issued by somebody else.");
  // Without narrowing, an engine holds tokens that name our client too, and must not be able to come back as the person.
  if (env().TOKEN_NARROWING === "none") throw new SluiceError("invalid_credentials", "Keycloak tokens are not accepted here.");
  const claims = await verifyKeycloakToken(token, { audience: env().KEYCLOAK_CLIENT_ID, from: "caller" });
  requireTrustedClient(claims);
  rememberToken(token);
  const signIn = signInOf(claims);
  // Such a token may be older than what we know, so it teaches us nothing of somebody known; what it may do is bounded by its own role too.
  const identity = identityOf(claims);
  const refuseIfEnded = async () => {
    if (await isSignInEnded({ issuer: identity.issuer, sub: identity.sub, kcSid: signIn.kcSid, signedInAt: signIn.at })) throw new SluiceError("invalid_credentials", "The sign-in behind this token was ended at Keycloak.");
  };
  await refuseIfEnded().catch(async (error: unknown) => {
    if (isSluiceError(error, "invalid_credentials")) noteRefused(caller.call, await findOwner(identity));
    throw error;
  });
  const userId = (await findUserId(identity.issuer, identity.sub)) ?? (await rememberPerson(identity)).person.userId;
  const verdict = admitted(await checkCall({ kind: "user", userId, permissions: roleMask(identity.role) }, { permission, requestId: caller.requestId, ip: caller.ip, cost: 1 }), caller);
  const ctx = contextOf(verdict, { type: "user", person: verdict.person, credential: { kind: "keycloak", token, expiresAt: (claims.exp ?? 0) * 1000, signIn } }, caller);
  return { ...ctx, refuseIfEnded };
}

/** For the record of a refusal, which stands whether we can look or not. */
async function findOwner({ issuer, sub }: { issuer: string; sub: string }): Promise<Person | null> {
  const userId = await findUserId(issuer, sub).catch(() => null);
  return userId ? ((await findPersonState(userId).catch(() => null))?.person ?? null) : null;
}

async function bySession({ cookie, origin, safe, referer }: Credentials, caller: Caller, permission?: Permission): Promise<Context> {
  const session = await findSession(cookie);
  if (!session) throw new SluiceError("missing_credentials", "Send an API key in X-API-Key, or a token in Authorization.");
  if (caller.call) caller.call.portal = true;
  if (!safe && origin !== new URL(env().AUTH_URL).origin) throw new SluiceError("cross_origin", "A session may only be used from the portal's own pages.");
  // A search is sent as a POST and still changes nothing.
  if ((!safe && !permission?.endsWith(":read")) || permission?.startsWith("admin:")) await renewRole(session);
  const verdict = admitted(await checkCall({ kind: "user", userId: session.userId }, { permission, requestId: caller.requestId, ip: caller.ip, cost: 1 }), caller);
  const ctx = contextOf(verdict, { type: "user", person: verdict.person, credential: { kind: "session", session: session.handle } }, caller);
  return { ...ctx, requireFresh: () => requireFresh(session, pageOf(referer)), refuseIfEnded: () => refuseEndedSession(session.handle.sessionId) };
}

const fromKeyCheck = new WeakSet<SluiceError>();

type Admitted = Extract<Verdict, { ok: true }>;

function admitted(verdict: Verdict, caller: Caller): Admitted {
  noteCaller(caller.call, verdict);
  if (verdict.ok) return verdict;
  fromKeyCheck.add(verdict.error);
  throw verdict.error;
}

function keyActor(verdict: Admitted, familyId?: string): Actor {
  if (!verdict.apiKeyId || !verdict.rateLimit) throw new SluiceError("internal_error", "The key check named no key.");
  return { type: "apiKey", apiKeyId: verdict.apiKeyId, person: verdict.person, rateLimit: verdict.rateLimit, ...(familyId && { familyId }), ...(verdict.secretGeneration !== undefined && { secretGeneration: verdict.secretGeneration }), ...(verdict.earlierSecret && { earlierSecret: true }) };
}

/** @param tokensChatflowIds what the token is limited to, besides its key. */
function contextOf(verdict: Admitted, actor: Actor, caller: Caller, tokensChatflowIds?: string[]): Context {
  if (actor.type === "apiKey" && actor.earlierSecret && caller.call?.by) caller.call.by.earlierSecret = true;
  const { chatflowIds: keys } = verdict;
  const chatflowIds = tokensChatflowIds && keys ? tokensChatflowIds.filter((id) => keys.includes(id)) : (tokensChatflowIds ?? keys);
  return { ...caller, tenantId: verdict.person.tenantId, actor, permissions: verdict.permissions, ...(chatflowIds && { chatflowIds }) };
}

/**
 * Who had the token made (`azp`). A realm may name our client in a token's audience by itself, for roles that somebody has of it, so what stands
 * there is not all: clients that hold owner grants are never taken, and of the others those that the operator listed, if there is a list.
 */
function requireTrustedClient({ azp }: JWTPayload): void {
  const { KEYCLOAK_CLIENT_ID: own, KEYCLOAK_MACHINE_CLIENT_ID: machine, KEYCLOAK_DIRECT_CLIENT_ID: direct, KEYCLOAK_SYNC_CLIENT_ID: sync, KEYCLOAK_TOKEN_CLIENTS: listed } = env();
  const isTrusted = typeof azp === "string" && azp !== "" && (azp === own || (![machine, direct, sync].includes(azp) && (listed?.includes(azp) ?? true)));
  if (!isTrusted) throw new SluiceError("invalid_credentials", "The token was made for a client whose tokens are not accepted here.");
}

/** Keycloak's session behind an access token. The person may have signed in long before the token was made, and what ended that sign-in ends the token. */
function signInOf(claims: JWTPayload): { kcSid: string | null; at: number } {
  const { iat = 0, auth_time: authTime, sid } = claims;
  return { kcSid: typeof sid === "string" && sid.length <= 255 ? sid : null, at: typeof authTime === "number" ? Math.min(authTime, iat) : iat };
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw new SluiceError("invalid_credentials", "The token cannot be read.");
  }
}
