import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { sendJson } from "../lib/calls";
import { authenticateClient, noStore, OAuthError, readForm } from "./oauth";
import { logoutPage, page, sendPage } from "./pages";
import { browserSession, realmPath, routes } from "./provider";
import { type Client, sidOf } from "./realm";
import type { SignOut } from "./sign-out";
import type { Realm, Tokens } from "./tokens";

type Parts = { realm: Realm; tokens: Tokens; provider: Provider; signOut: SignOut };

/**
 * `…/logout`. With an id token as hint the session it names ends at once, cookie or not; without one the person is
 * asked. With a refresh token and the client's secret a program ends the session. Offline sessions outlive all
 * but the last, given theirs.
 */
export async function answerLogout(req: IncomingMessage, res: ServerResponse, parts: Parts): Promise<void> {
  const form = req.method === "POST" ? await readForm(req) : {};
  if (form.refresh_token !== undefined) return endByRefreshToken(req, res, parts, form);
  const query = Object.fromEntries(new URL(req.url ?? "/", parts.realm.issuer).searchParams);
  const fields: Record<string, string> = { ...query, ...form };
  const { id_token_hint: hint, post_logout_redirect_uri: target, client_id: clientId } = fields;

  const claims = hint === undefined ? undefined : await parts.tokens.verifyIdHint(hint);
  if (hint !== undefined && !claims) return refuse(res, "Invalid parameter: id_token_hint");
  const client = parts.realm.clients.get(claims ? String(claims.aud) : (clientId ?? ""));
  if (claims && clientId !== undefined && clientId !== client?.clientId) return refuse(res, "Parameter client_id is different to the client for which ID Token was issued");
  if (target !== undefined && !mayReturnTo(client, target)) return refuse(res, "Invalid redirect uri");

  if (claims) await parts.signOut.browser(String(claims.sid));
  else if (form.confirmLogout !== undefined) {
    const session = await browserSession(parts.provider, parts.realm, req, res);
    if (session) await parts.signOut.browser(sidOf(session.uid));
  } else {
    const kept = Object.entries(fields).filter(([name]) => ["client_id", "post_logout_redirect_uri", "state"].includes(name));
    return sendPage(res, 200, logoutPage(realmPath + routes.end_session, Object.fromEntries(kept)));
  }

  if (target === undefined) return sendPage(res, 200, page("You are logged out", []));
  const back = new URL(target);
  if (fields.state !== undefined) back.searchParams.set("state", fields.state);
  noStore(res);
  res.writeHead(302, { location: back.href }).end();
}

function refuse(res: ServerResponse, words: string): void {
  sendPage(res, 400, page("We are sorry...", [{ alert: words }]));
}

/** A trailing `*` in a registered address stands for any rest of the path; it never widens the origin. */
function mayReturnTo(client: Client | undefined, target: string): boolean {
  if (!URL.canParse(target)) return false;
  const { href } = new URL(target);
  return (client?.postLogoutRedirectUris ?? []).some((allowed) => (allowed.endsWith("/*") ? href.startsWith(allowed.slice(0, -1)) : href === new URL(allowed).href));
}

async function endByRefreshToken(req: IncomingMessage, res: ServerResponse, { realm, tokens, signOut }: Parts, form: Record<string, string>): Promise<void> {
  noStore(res);
  try {
    const client = authenticateClient(realm.clients, req, form);
    const token = await tokens.verifyRefresh(form.refresh_token ?? "");
    if (!token) throw new OAuthError(400, "invalid_grant", "Invalid refresh token");
    if (token.azp !== client.clientId) throw new OAuthError(400, "invalid_grant", "Invalid refresh token. Token client and authorized client don't match");
    await (token.typ === "Offline" ? signOut.offline(token.sid) : signOut.browser(token.sid));
    res.writeHead(204).end();
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    sendJson(res, error.status, { error: error.error, error_description: error.description });
  }
}
