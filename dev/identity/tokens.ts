import { createHash, randomUUID } from "node:crypto";
import { importJWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Directory } from "./directory";
import { type Client, fixedId, lifetimes, nowSeconds, type Person } from "./realm";
import type { Sessions, Settings } from "./sessions";
import type { ClientSession, State } from "./state";

/** The running realm, as the endpoints see it. */
export type Realm = {
  issuer: string;
  clients: Map<string, Client>;
  directory: Directory;
  sessions: Sessions;
  state: State;
  settings: Settings;
};

export type AccessClaims = JWTPayload & { azp: string; sid?: string; scope?: string; typ: "Bearer"; sub: string; jti: string };
export type RefreshClaims = { jti: string; sub: string; iss: string; iat?: number; azp: string; sid: string; scope: string; typ: "Refresh" | "Offline"; chain: string; sequence: number };

/** Where a token comes from: the session, the person in it, the client that asks. */
export type Source = { client: Client; session: ClientSession; person: Person; scope: string };

const idPrefix = { online: "onrtac", offline: "ofrtac" };

/** Where the realm sets no absolute end, an offline token says of none, though idleness still ends its session. */
function isUnlimited(session: ClientSession, settings: Settings): boolean {
  return session.offline && !settings.offlineMaxLimited;
}

const serviceAccountRoles = ["view-users", "view-realm", "view-events", "query-users", "query-groups"];

/** What a token says about a person. Roles and groups are read anew each time. */
export function personClaims(person: Person, scope: string): Record<string, unknown> {
  const scopes = scope.split(" ");
  // The client scope "offline_access" brings the role of that name into the token, as in Keycloak.
  const roles = [...(scopes.includes("offline_access") ? ["offline_access"] : []), ...person.roles];
  return {
    ...(roles.length > 0 ? { realm_access: { roles }, roles } : {}),
    groups: person.groups,
    ...(scopes.includes("email") ? { email: person.email, email_verified: true } : {}),
    ...(scopes.includes("profile")
      ? { name: `${person.firstName} ${person.lastName}`, preferred_username: person.username, given_name: person.firstName, family_name: person.lastName }
      : {}),
  };
}

/** The scopes of a token: the default ones that show, and `openid` and `offline_access` where asked for. */
export function grantedScope(requested: readonly string[]): string {
  return [...(requested.includes("openid") ? ["openid"] : []), "email", "profile", ...(requested.includes("offline_access") ? ["offline_access"] : [])].join(" ");
}

/** Makes and checks the realm's tokens. */
export class Tokens {
  constructor(private readonly realm: Realm) {}

  /** The token endpoint's answer to a sign-in or a refresh. */
  async answer(source: Source, chain: string, options: { nonce?: string } = {}): Promise<Record<string, unknown>> {
    const { session, scope } = source;
    const now = nowSeconds();
    const sessionEnd = this.realm.sessions.endOf(session);
    const accessToken = await this.access(source, { audience: source.client.audiences });
    return {
      access_token: accessToken.token,
      expires_in: accessToken.expiresIn,
      refresh_expires_in: isUnlimited(session, this.realm.settings) ? 0 : sessionEnd - now,
      refresh_token: await this.refresh(source, chain, sessionEnd),
      token_type: "Bearer",
      ...(scope.split(" ").includes("openid") ? { id_token: await this.id(source, accessToken, options.nonce) } : {}),
      "not-before-policy": 0,
      session_state: session.sid,
      scope,
    };
  }

  /** @param options.audience a string stays one, as after an exchange. */
  async access(source: Source, options: { audience: string | readonly string[] }): Promise<{ token: string; expiresIn: number }> {
    const { client, session, person, scope } = source;
    const now = nowSeconds();
    const expiresIn = Math.max(1, Math.min(this.realm.settings.accessTokenSeconds, this.realm.sessions.endOf(session) - now));
    const audience = typeof options.audience === "string" ? options.audience : [...options.audience];
    const token = await this.sign({
      ...personClaims(person, scope),
      exp: now + expiresIn, iat: now, ...(session.authTime === null ? {} : { auth_time: session.authTime }),
      jti: `${session.offline ? idPrefix.offline : idPrefix.online}:${randomUUID()}`,
      iss: this.realm.issuer, aud: audience, sub: person.id, typ: "Bearer", azp: client.clientId, sid: session.sid, acr: session.acr, scope,
    });
    return { token, expiresIn };
  }

  /** For a client that acts for itself. There is no session, so nothing to refresh. */
  async serviceAccess(client: Client): Promise<{ token: string; expiresIn: number }> {
    const now = nowSeconds();
    const expiresIn = this.realm.settings.accessTokenSeconds;
    const username = `service-account-${client.clientId}`;
    const token = await this.sign({
      exp: now + expiresIn, iat: now, jti: randomUUID(), iss: this.realm.issuer, aud: "realm-management", sub: fixedId(`user/${username}`), typ: "Bearer",
      azp: client.clientId, acr: "1", scope: "email profile", resource_access: { "realm-management": { roles: serviceAccountRoles } },
      preferred_username: username, email_verified: false, client_id: client.clientId,
    });
    return { token, expiresIn };
  }

  /**
   * The claims of an access token that is good right now: ours, not over, not revoked, its session alive, its person
   * enabled. Undefined otherwise.
   */
  async verifyAccess(token: string): Promise<AccessClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, await this.publicKey(), { issuer: this.realm.issuer, algorithms: ["RS256"] });
      const claims = payload as AccessClaims;
      return claims.typ === "Bearer" && this.isLive(claims) ? claims : undefined;
    } catch {
      return undefined;
    }
  }

  /** The session behind an access token: its id tells, as Keycloak's do, whether that is the client's online or offline one. */
  sessionOf(claims: AccessClaims): ClientSession | undefined {
    return claims.sid ? this.realm.sessions.findClientSession(claims.sid, claims.azp, claims.jti.startsWith(idPrefix.offline)) : undefined;
  }

  /** Reads a refresh token whoever it belongs to; undefined when it is not one of ours or is over. */
  async verifyRefresh(token: string): Promise<RefreshClaims | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.refreshKey(), { algorithms: ["HS512"] });
      return payload as RefreshClaims;
    } catch {
      return undefined;
    }
  }

  /** The claims of one of our id tokens; it may be long over, as hints are. */
  async verifyIdHint(token: string): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, await this.publicKey(), { issuer: this.realm.issuer, algorithms: ["RS256"], currentDate: new Date(0) });
      return payload.typ === "ID" ? payload : undefined;
    } catch {
      return undefined;
    }
  }

  /** Tells one client that a session has ended (OpenID Connect Back-Channel Logout 1.0, section 2.4). */
  async logout(session: ClientSession): Promise<string> {
    const now = nowSeconds();
    const { backchannelSessionRequired, backchannelRevokeOffline } = this.realm.settings;
    return this.sign({
      iat: now, exp: now + lifetimes.logoutToken, jti: randomUUID(), iss: this.realm.issuer, aud: session.clientId, sub: session.userId, ...(backchannelSessionRequired && { sid: session.sid }), typ: "Logout",
      events: { "http://schemas.openid.net/event/backchannel-logout": {}, ...(backchannelRevokeOffline && { revoke_offline_access: true }) },
    }, "logout+jwt");
  }

  private isLive(claims: AccessClaims): boolean {
    const { state, directory } = this.realm;
    if (state.data.revoked[claims.jti] !== undefined) return false;
    if (!claims.sid) return this.realm.clients.get(claims.azp)?.enabledFlows.has("service") === true;
    const session = this.sessionOf(claims);
    return directory.isEnabled(claims.sub) && session !== undefined && this.realm.sessions.ageFault(session, claims) === undefined;
  }

  private async id(source: Source, accessToken: { token: string; expiresIn: number }, nonce: string | undefined): Promise<string> {
    const { client, session, person, scope } = source;
    const now = nowSeconds();
    const { realm_access: _onlyInAccessTokens, ...claims } = personClaims(person, scope);
    const hash = createHash("sha256").update(accessToken.token).digest();
    return this.sign({
      ...claims,
      exp: now + accessToken.expiresIn, iat: now, ...(session.authTime === null ? {} : { auth_time: session.authTime }), jti: randomUUID(),
      iss: this.realm.issuer, aud: client.clientId, sub: person.id, typ: "ID", azp: client.clientId, sid: session.sid, acr: session.acr,
      at_hash: hash.subarray(0, hash.length / 2).toString("base64url"), ...(nonce === undefined ? {} : { nonce }),
    });
  }

  private async refresh({ client, session, person, scope }: Source, chain: string, end: number): Promise<string> {
    const claims: RefreshClaims = {
      jti: randomUUID(), iss: this.realm.issuer, sub: person.id, azp: client.clientId, sid: session.sid, scope,
      typ: session.offline ? "Offline" : "Refresh", chain, sequence: session.sequence,
    };
    const token = new SignJWT({ ...claims, aud: this.realm.issuer }).setProtectedHeader({ alg: "HS512", typ: "JWT" }).setIssuedAt();
    if (!isUnlimited(session, this.realm.settings)) token.setExpirationTime(end);
    return token.sign(this.refreshKey());
  }

  private async sign(claims: Record<string, unknown>, typ = "JWT"): Promise<string> {
    const { signing } = this.realm.state.data.keys;
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", typ, kid: signing.kid }).sign(await importJWK(signing, "RS256"));
  }

  private async publicKey() {
    return importJWK(publicPart(this.realm.state.data.keys.signing), "RS256");
  }

  private refreshKey(): Uint8Array {
    return Buffer.from(this.realm.state.data.keys.refreshSecret, "base64url");
  }
}

/** The realm's key set: the signing key, and one for encryption that nobody here uses but every Keycloak lists. */
export function keySet(state: State): { keys: Record<string, unknown>[] } {
  return { keys: [publicPart(state.data.keys.signing), publicPart(state.data.keys.encryption)] };
}

function publicPart({ kid, kty, alg, use, n, e }: State["data"]["keys"]["signing"]) {
  return { kid, kty, alg, use, n, e };
}
