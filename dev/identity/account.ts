import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { readForm } from "./oauth";
import { accountPage, page, sendPage } from "./pages";
import { browserSession, realmPath, routes } from "./provider";
import { accountConsole, sidOf } from "./realm";
import type { SignOut } from "./sign-out";
import type { Realm } from "./tokens";

type Parts = { realm: Realm; provider: Provider; signOut: SignOut };

const accountPath = `${realmPath}/account`;

/** The person's own view: which applications may act for them, and a way to end that. Asks for a sign-in first. */
export async function answerAccount(req: IncomingMessage, res: ServerResponse, { realm, provider, signOut }: Parts): Promise<void> {
  const session = await browserSession(provider, realm, req, res);
  const person = session?.accountId ? realm.directory.find(session.accountId) : undefined;
  if (!session || !person) return sendToSignIn(res, realm);
  if (req.method === "GET" && req.url?.includes("?")) {
    // Back from the sign-in: the unused code has no business in the address bar.
    res.writeHead(302, { location: accountPath }).end();
    return;
  }

  const token = createHmac("sha256", realm.state.data.keys.cookieKey).update(`account/${sidOf(session.uid)}`).digest("base64url");
  if (req.method === "POST") {
    const form = await readForm(req);
    const given = Buffer.from(form.token ?? "");
    // The cookie alone is not enough: other ports of this host count as the same site.
    if (given.length !== token.length || !timingSafeEqual(given, Buffer.from(token))) return sendPage(res, 403, page("We are sorry...", [{ alert: "Reload the page and try again." }]));
    await signOut.consent(person.id, form.client_id ?? "");
    res.writeHead(303, { location: accountPath }).end();
    return;
  }
  sendPage(res, 200, accountPage(accountPath, token, person.username, applicationsOf(realm, person.id)));
}

function applicationsOf(realm: Realm, userId: string) {
  return [...realm.clients.values()].flatMap((client) => {
    const consent = realm.sessions.consentOf(userId, client.clientId);
    const starts = realm.sessions.offlineSessionsOf(userId).filter((one) => one.clientId === client.clientId).map((one) => one.startedAt);
    if (!consent && starts.length === 0) return [];
    const since = new Date(Math.min(...starts, consent?.givenAt ?? Infinity) * 1000);
    return [{ clientId: client.clientId, name: client.name, scopes: starts.length > 0 ? ["Offline access"] : ["Access granted"], since }];
  });
}

/** Signs in through the front door like any application. The code is thrown away; what we want is the cookie. */
function sendToSignIn(res: ServerResponse, realm: Realm): void {
  const query = new URLSearchParams({
    client_id: accountConsole, response_type: "code", scope: "openid", redirect_uri: `${realm.issuer}/account`,
    code_challenge: createHash("sha256").update(randomBytes(32)).digest("base64url"), code_challenge_method: "S256",
  });
  res.writeHead(302, { location: `${realmPath}${routes.authorization}?${query}` }).end();
}
