import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "../lib/calls";
import { authenticateClient, bearerOf, noStore, OAuthError, readForm } from "./oauth";
import { personClaims, type Realm, type Tokens } from "./tokens";

type Parts = { realm: Realm; tokens: Tokens };

/** `…/userinfo`: 401 unless the token is good at this moment. */
export async function answerUserinfo(req: IncomingMessage, res: ServerResponse, { realm, tokens }: Parts): Promise<void> {
  const claims = await tokens.verifyAccess(bearerOf(req) ?? "");
  const person = claims && realm.directory.find(claims.sub);
  noStore(res);
  if (!claims || !person) {
    res.setHeader("www-authenticate", 'Bearer realm="sluice", error="invalid_token", error_description="Token verification failed"');
    return sendJson(res, 401, { error: "invalid_token", error_description: "Token verification failed" });
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
  await asClient(req, res, realm, async (form) => {
    const access = await tokens.verifyAccess(form.token ?? "");
    if (access) {
      const username = realm.directory.find(access.sub)?.username ?? access.preferred_username;
      return { ...access, username, client_id: access.azp, token_type: "Bearer", active: true };
    }
    const refresh = await tokens.verifyRefresh(form.token ?? "");
    const isActive = refresh && realm.directory.isEnabled(refresh.sub) && realm.sessions.findClientSession(refresh.sid, refresh.azp, refresh.typ === "Offline");
    return isActive ? { sub: refresh.sub, azp: refresh.azp, sid: refresh.sid, scope: refresh.scope, typ: refresh.typ, iss: refresh.iss, active: true } : { active: false };
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
    if (owner !== undefined && owner !== client.clientId) throw new OAuthError(400, "invalid_token", "Unmatching clients");
    const session = refresh && realm.sessions.findClientSession(refresh.sid, refresh.azp, refresh.typ === "Offline");
    if (session) realm.sessions.endClientSession(session);
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
    sendJson(res, error.status, { error: error.error, error_description: error.description });
  }
}
