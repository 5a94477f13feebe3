import { lifetimes, nowSeconds, sidOf } from "./realm";
import { type ClientSession, clientSessionKey, type Consent, type SsoSession, type State } from "./state";

/** Why a refresh token no longer works; the text is Keycloak's `error_description`. */
export type RotationFault = "Stale token" | "Maximum allowed refresh token reuse exceeded";

/** What may be turned while the realm runs. */
export type Settings = {
  accessTokenSeconds: number;
  revokeRefreshToken: boolean;
  refreshTokenMaxReuse: number;
  /** Whether one person's sign-ins by password at once are refused but for one. */
  bruteForceProtected: boolean;
  /** Whether an offline session has an absolute end. */
  offlineMaxLimited: boolean;
  backchannelSessionRequired: boolean;
  backchannelRevokeOffline: boolean;
};

/** Sessions as Keycloak keeps them: one per browser, in it one per client, and offline ones beside it. */
export class Sessions {
  constructor(private readonly state: State, private readonly settings: Settings) {}

  /** Starts the browser's session, or notes that its person has just signed in again. */
  openSso(start: { sid: string; uid: string | null; userId: string; authTime: number | null }): SsoSession {
    const now = nowSeconds();
    const known = this.findSso(start.sid);
    const session = known ? { ...known, authTime: start.authTime, usedAt: now } : { ...start, startedAt: now, usedAt: now };
    this.state.data.sso[start.sid] = session;
    this.state.changed();
    return session;
  }

  /** Undefined when it was ended, was idle too long or is over. */
  findSso(sid: string): SsoSession | undefined {
    const session = this.state.data.sso[sid];
    if (!session) return undefined;
    const now = nowSeconds();
    if (session.usedAt + lifetimes.ssoIdle > now && session.startedAt + lifetimes.ssoMax > now) return session;
    this.endSso(sid);
    return undefined;
  }

  /**
   * Joins a client to a session. Signing in again in the same browser reuses what is there, its absolute end included;
   * every sign-in still gets a chain of refresh tokens of its own.
   */
  openClientSession(start: Pick<ClientSession, "sid" | "clientId" | "userId" | "offline" | "startedAt" | "authTime" | "acr">): ClientSession {
    const known = this.findClientSession(start.sid, start.clientId, start.offline);
    const now = nowSeconds();
    const session: ClientSession = known
      ? Object.assign(known, { authTime: start.authTime, acr: start.acr, usedAt: now })
      : { ...start, openedAt: now, usedAt: now, sequence: 0, chains: {} };
    this.state.data.clientSessions[clientSessionKey(start.sid, start.clientId, start.offline)] = session;
    this.state.changed();
    return session;
  }

  findClientSession(sid: string, clientId: string, offline: boolean): ClientSession | undefined {
    const session = this.state.data.clientSessions[clientSessionKey(sid, clientId, offline)];
    if (!session || session.detached) return undefined;
    if (!offline) return this.findSso(sid) && session;
    if (this.endOf(session) > nowSeconds()) return session;
    this.endClientSession(session);
    return undefined;
  }

  /** Whether the client has lost its place in a session that lives on. */
  isDetached(sid: string, clientId: string, offline: boolean): boolean {
    if (!offline) return this.findSso(sid) !== undefined && this.findClientSession(sid, clientId, false) === undefined;
    return this.state.data.clientSessions[clientSessionKey(sid, clientId, true)]?.detached === true;
  }

  /** When the session is over if nobody uses it again: no token outlives this. */
  endOf(session: ClientSession): number {
    if (session.offline) return Math.min(session.usedAt + lifetimes.offlineIdle, this.settings.offlineMaxLimited ? session.startedAt + lifetimes.offlineMax : Infinity);
    const sso = this.state.data.sso[session.sid];
    return sso ? Math.min(sso.usedAt + lifetimes.ssoIdle, sso.startedAt + lifetimes.ssoMax) : 0;
  }

  touch(session: ClientSession): void {
    session.usedAt = nowSeconds();
    const sso = this.state.data.sso[session.sid];
    if (sso && !session.offline) sso.usedAt = session.usedAt;
    this.state.changed();
  }

  /**
   * Counts a use of a refresh token. Where it is one too many, the whole client session ends, for the rightful
   * holder too: that is what "revoke refresh token" does in Keycloak.
   *
   * @returns undefined when the use is fine.
   */
  useRefreshToken(session: ClientSession, token: { id: string; chain: string; sequence: number }): RotationFault | undefined {
    const policy = this.settings;
    if (!policy.revokeRefreshToken) return undefined;
    const last = session.chains[token.chain];
    const isCurrent = last?.tokenId === token.id;
    const uses = isCurrent ? last.uses : 0;
    const fault: RotationFault | undefined =
      last && !isCurrent && token.sequence < last.sequence ? "Stale token" : uses > policy.refreshTokenMaxReuse ? "Maximum allowed refresh token reuse exceeded" : undefined;
    if (fault) {
      session.detached = true;
      this.state.changed();
      return fault;
    }
    session.sequence += 1;
    session.chains[token.chain] = { tokenId: token.id, uses: uses + 1, sequence: session.sequence };
    this.state.changed();
    return undefined;
  }

  endClientSession(session: ClientSession): void {
    delete this.state.data.clientSessions[clientSessionKey(session.sid, session.clientId, session.offline)];
    this.state.changed();
  }

  /** Signs the browser out: every online client session goes with it, offline ones stay. */
  endSso(sid: string): void {
    const { data } = this.state;
    delete data.sso[sid];
    for (const [key, session] of Object.entries(data.clientSessions)) {
      if (session.sid === sid && !session.offline) delete data.clientSessions[key];
    }
    for (const [key, { payload }] of Object.entries(data.artifacts)) {
      if (key.startsWith("Session:") && sidOf(String(payload.uid)) === sid) delete data.artifacts[key];
    }
    this.state.changed();
  }

  /** The clients of a browser's session. */
  onlineClientsOf(sid: string): ClientSession[] {
    return Object.values(this.state.data.clientSessions).filter((session) => session.sid === sid && !session.offline && !session.detached);
  }

  offlineClientsOf(sid: string): ClientSession[] {
    return Object.values(this.state.data.clientSessions).filter((session) => session.sid === sid && session.offline);
  }

  ssoSessionsOf(userId: string): SsoSession[] {
    return Object.values(this.state.data.sso).filter((session) => session.userId === userId);
  }

  /**
   * What `/revoke` does with a refresh token: the client leaves the session, also where only its offline part was meant,
   * and a browser's session without clients is over.
   */
  leave(sid: string, clientId: string, offline: boolean): void {
    for (const kind of offline ? [true, false] : [false]) {
      const session = this.findClientSession(sid, clientId, kind);
      if (!session) continue;
      this.endClientSession(session);
      if (!kind && this.onlineClientsOf(sid).length === 0) this.endSso(sid);
    }
  }

  /** What is wrong with a token that is older than its client's stay in the session, or than an administrator's sign-out. */
  ageFault(session: ClientSession, token: { iat?: number }): string | undefined {
    const issuedAt = token.iat ?? 0;
    if (issuedAt < this.notBeforeOf(session.userId)) return "Stale token";
    return issuedAt < session.openedAt ? "refresh token issued before the client session started" : undefined;
  }

  /** Makes offline tokens that the person holds worthless; those of this very second survive, as in Keycloak. */
  setNotBefore(userId: string): void {
    this.state.data.notBefore[userId] = nowSeconds();
    this.state.changed();
  }

  notBeforeOf(userId: string): number {
    return this.state.data.notBefore[userId] ?? 0;
  }

  /** All of a person's sessions and consents, as when they are deleted. */
  forget(userId: string): void {
    const { data } = this.state;
    for (const session of Object.values(data.clientSessions)) if (session.userId === userId) this.endClientSession(session);
    for (const session of Object.values(data.sso)) if (session.userId === userId) this.endSso(session.sid);
    delete data.consents[userId];
    delete data.notBefore[userId];
    this.state.changed();
  }

  offlineSessionsOf(userId: string): ClientSession[] {
    return Object.values(this.state.data.clientSessions).filter((session) => session.offline && session.userId === userId);
  }

  consentOf(userId: string, clientId: string): Consent | undefined {
    return this.state.data.consents[userId]?.[clientId];
  }

  giveConsent(userId: string, clientId: string, scopes: Iterable<string>): void {
    const now = nowSeconds();
    const known = this.consentOf(userId, clientId);
    const consents = (this.state.data.consents[userId] ??= {});
    consents[clientId] = { scopes: [...new Set([...(known?.scopes ?? []), ...scopes])], givenAt: known?.givenAt ?? now, changedAt: now };
    this.state.changed();
  }

  /** Takes back what a person allowed a client: the consent, and the client's place in every session; the sessions go on. */
  withdraw(userId: string, clientId: string): void {
    delete this.state.data.consents[userId]?.[clientId];
    for (const session of Object.values(this.state.data.clientSessions)) if (session.userId === userId && session.clientId === clientId) this.endClientSession(session);
    this.state.changed();
  }
}
