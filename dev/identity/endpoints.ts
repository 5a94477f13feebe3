import type { IncomingMessage, ServerResponse } from "node:http";
import { pathOf, sendJson } from "../lib/calls";
import { authenticateClient, bearerOf, noStore, OAuthError, readForm } from "./oauth";
import { routes } from "./provider";
import { personClaims, type Realm, type Tokens } from "./tokens";

type Parts = { realm: Realm; tokens: Tokens };

/** `…/userinfo`: 401 unless the token is good at this moment. */
export async function answerUserinfo(req: IncomingMessage, res: ServerResponse, { realm, tokens }: Parts): Promise<void> {
  const claims = await tokens.verifyAccess(bearerOf(req) ?? "");
  const person = claims && realm.directory.find(claims.sub);
  noStore(res);
  if (!claims || !person) {
    const fault = bearerOf(req) === undefined ? "" : ', error="invalid_token", error_description="Token verification failed"';
    res.setHeader("www-authenticate", `Bearer realm="sluice"${fault}`);
    return void res.writeHead(401).end();
  }
  if (!claims.scope?.split(" ").includes("openid")) {
    res.setHeader("www-authenticate", 'Bearer realm="sluice", error="insufficient_scope", error_description="Missing openid scope"');
    return sendJson(res, 403, { error: "insufficient_scope", error_description: "Missing openid scope" });
  }
  const { realm_access: _onlyInAccessTokens, ...shown } = personClaims(person, claims.scope);
  sendJson(res, 200, { sub: person.id, ...shown });
}

/** `…/token/introspect` (RFC 7662): `active: false` tells nothing about why. */
export async function answerIntrospection(req: IncomingMessage, res: ServerResponse, { realm, tokens }: Parts): Promise<void> {
  await asClient(req, res, realm, async (form, client) => {
    if (!form.token) throw new OAuthError(400, "invalid_request", "Token not provided.");
    const access = await tokens.verifyAccess(form.token);
    // A client learns of tokens that are meant for it, so of refresh tokens nobody does.
    if (!access || ![access.aud ?? []].flat().includes(client.clientId)) return { active: false };
    const username = realm.directory.find(access.sub)?.username ?? access.preferred_username;
    return { ...access, username, client_id: access.azp, token_type: "Bearer", active: true };
  });
}

/**
 * `…/revoke` (RFC 7009). Any refresh token of a client session, a spent one too, ends it for all of its tokens;
 * an access token ends alone. A token nobody knows is answered with success.
 */
export async function answerRevocation(req: IncomingMessage, res: ServerResponse, { realm, tokens }: Parts): Promise<void> {
  await asClient(req, res, realm, async (form, client) => {
    if (!form.token) throw new OAuthError(400, "invalid_request", "Token not provided");
    const refresh = await tokens.verifyRefresh(form.token);
    const access = refresh ? undefined : await tokens.verifyAccess(form.token);
    const owner = refresh?.azp ?? access?.azp;
    if (owner !== undefined && owner !== client.clientId) throw new OAuthError(400, "invalid_request", "Unmatching clients");
    const isLive = access !== undefined || (refresh && realm.sessions.findClientSession(refresh.sid, refresh.azp, refresh.typ === "Offline") !== undefined);
    // Keycloak says so with status 200.
    if (!isLive) return { error: "invalid_token", error_description: "Invalid token" };
    if (refresh) realm.sessions.leave(refresh.sid, refresh.azp, refresh.typ === "Offline");
    if (access) {
      realm.state.data.revoked[access.jti] = access.exp ?? 0;
      realm.state.changed();
    }
    return {};
  });
}

async function asClient(
  req: IncomingMessage,
  res: ServerResponse,
  realm: Realm,
  work: (form: Record<string, string>, client: ReturnType<typeof authenticateClient>) => Promise<Record<string, unknown>>,
): Promise<void> {
  noStore(res);
  try {
    const form = await readForm(req);
    sendJson(res, 200, await work(form, authenticateClient(realm.clients, req, form)));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    // This endpoint alone has other words for a wrong secret.
    if (error.error === "unauthorized_client" && pathOf(req).endsWith(routes.introspection)) return sendJson(res, 401, { error: "invalid_client", error_description: "Client authentication failed." });
    sendJson(res, error.status, { error: error.error, error_description: error.description });
  }
}
