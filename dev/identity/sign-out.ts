import type { ClientSession } from "./state";
import type { Realm, Tokens } from "./tokens";

const deadlineMs = 5000;

/**
 * The ways a session ends of which Keycloak tells its clients (OpenID Connect Back-Channel Logout 1.0). As there,
 * clients are told one after the other, once, whatever they answer, and only then is the session over: a client that
 * tries its tokens while it is being told finds them good.
 */
export class SignOut {
  constructor(private readonly realm: Realm, private readonly tokens: Tokens) {}

  /** The browser's session with every client in it; offline sessions outlive it. */
  async browser(sid: string): Promise<void> {
    if (!this.realm.sessions.findSso(sid)) return;
    await this.tell(this.realm.sessions.onlineClientsOf(sid));
    this.realm.sessions.endSso(sid);
  }

  /** The offline session, and the browser's of the same id with it; only the offline clients are told. */
  async offline(sid: string): Promise<void> {
    const { sessions } = this.realm;
    const clients = sessions.offlineClientsOf(sid);
    await this.tell(clients);
    for (const session of clients) sessions.endClientSession(session);
    sessions.endSso(sid);
  }

  /** Everything of one person. Offline sessions stay, but no token from before opens them. */
  async person(userId: string): Promise<void> {
    for (const { sid } of this.realm.sessions.ssoSessionsOf(userId)) await this.browser(sid);
    this.realm.sessions.setNotBefore(userId);
  }

  /** What the person allowed one client. The client is told of browsers' sessions alone. */
  async consent(userId: string, clientId: string): Promise<void> {
    const { sessions } = this.realm;
    const online = sessions.ssoSessionsOf(userId).flatMap(({ sid }) => sessions.onlineClientsOf(sid)).filter((session) => session.clientId === clientId);
    await this.tell(online);
    sessions.withdraw(userId, clientId);
  }

  private async tell(sessions: readonly ClientSession[]): Promise<void> {
    for (const session of sessions) {
      const url = this.realm.clients.get(session.clientId)?.backchannelUrl;
      if (url === undefined) continue;
      const body = new URLSearchParams({ logout_token: await this.tokens.logout(session) });
      // Nobody there, an error or silence: the sign-out goes on, and nothing is repeated.
      await fetch(url, { method: "POST", body, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) }).then((answer) => answer.body?.cancel(), () => undefined);
    }
  }
}
