import type { IncomingMessage, ServerResponse } from "node:http";
import { type AuthorizationCodeModel, type Context, type GrantModel, interactionPolicy, Provider, type SessionModel } from "oidc-provider";
import { adapterFor } from "./adapter";
import { exchangeGrant } from "./grants";
import { page } from "./pages";
import { accountConsole, lifetimes, sidOf } from "./realm";
import type { Realm } from "./tokens";

/** Where the realm lives below the origin. */
export const realmPath = "/realms/sluice";

/** Path of an endpoint, below {@link realmPath}. */
export const routes = {
  authorization: "/protocol/openid-connect/auth",
  token: "/protocol/openid-connect/token",
  userinfo: "/protocol/openid-connect/userinfo",
  jwks: "/protocol/openid-connect/certs",
  end_session: "/protocol/openid-connect/logout",
  revocation: "/protocol/openid-connect/revoke",
  introspection: "/protocol/openid-connect/token/introspect",
} as const;

const clientScopes = "openid offline profile email roles basic acr organization";

/**
 * The certified part: authorization endpoint with its checks (redirect address, PKCE, prompts, `max_age`), browser
 * sessions, grants, codes and discovery. What it decides is written into our sessions by its events.
 */
export function makeProvider(realm: Realm): Provider {
  const { issuer, state, sessions } = realm;
  const codeClients = [...realm.clients.values()].filter((client) => client.enabledFlows.has("code"));
  const provider = new Provider(issuer, {
    adapter: adapterFor(state),
    clients: [
      ...codeClients.map((client) => ({
        client_id: client.clientId, client_name: client.name, client_secret: client.secret, redirect_uris: client.redirectUris,
        grant_types: ["authorization_code"], response_types: ["code"],
        scope: client.offlineAllowed ? clientScopes : clientScopes.replace(" offline", ""),
      })),
      {
        client_id: accountConsole, client_name: "Account console", token_endpoint_auth_method: "none", redirect_uris: [`${issuer}/account`],
        grant_types: ["authorization_code"], response_types: ["code"], scope: "openid",
      },
    ],
    scopes: clientScopes.split(" "),
    extraParams: ["kc_action"],
    responseTypes: ["code"],
    pkce: { required: () => true },
    routes,
    clockTolerance: 0,
    jwks: { keys: [state.data.keys.signing] },
    cookies: {
      // Cookies know no ports: the path keeps those of the realm away from the portal on the same host name.
      names: { session: "sluice_idp_session", interaction: "sluice_idp_interaction", resume: "sluice_idp_resume" },
      keys: [state.data.keys.cookieKey],
      long: { httpOnly: true, sameSite: "lax", signed: true, path: `${realmPath}/` },
      short: { httpOnly: true, sameSite: "lax", signed: true },
    },
    features: { devInteractions: { enabled: false }, userinfo: { enabled: false }, rpInitiatedLogout: { enabled: false }, dPoP: { enabled: false }, pushedAuthorizationRequests: { enabled: false } },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    ttl: { AuthorizationCode: lifetimes.code, Interaction: lifetimes.interaction, Session: lifetimes.ssoMax, Grant: lifetimes.ssoMax },
    interactions: { policy: policy(), url: (_ctx: Context, interaction: { uid: string }) => `${realmPath}/login-actions/${interaction.uid}` },
    findAccount: (_ctx: Context, id: string) => (realm.directory.find(id) ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
    loadExistingGrant: (ctx: Context) => grantFor(ctx, realm, provider),
    renderError: (ctx: Context, out: { error: string; error_description?: string }) => {
      ctx.type = "html";
      ctx.body = page("We are sorry...", [{ alert: out.error_description ?? out.error }]);
    },
  });

  provider.on("authorization.accepted", (ctx: Context) => {
    // Keycloak gives level 1 to whoever has just shown the password, 0 to whoever was let through silently.
    ctx.oidc.session.acr = resultOf(ctx).login ? "1" : "0";
  });
  provider.on("authorization_code.saved", (code: AuthorizationCodeModel) => {
    if (!code.consumed) sessions.openSso({ sid: sidOf(code.sessionUid), uid: code.sessionUid, userId: code.accountId, authTime: code.authTime });
  });
  provider.on("authorization.success", (ctx: Context, out: Record<string, unknown>) => {
    out.session_state = sidOf(ctx.oidc.session.uid);
    const { action } = resultOf(ctx);
    if (action) out.kc_action_status = action.status;
  });
  provider.on("server_error", (_ctx: Context, error: Error) => console.error(`identity: ${error.stack ?? error.message}`));
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path === "/.well-known/openid-configuration" && ctx.status === 200) ctx.body = { ...(ctx.body as object), ...ownEndpoints(issuer) };
  });
  return provider;
}

/** The browser's session, if there is a living one. A cookie that outlived its session is worth nothing. */
export async function browserSession(provider: Provider, realm: Realm, req: IncomingMessage, res: ServerResponse): Promise<SessionModel | undefined> {
  const session = await provider.Session.get(provider.createContext(req, res));
  if (!session.accountId) return undefined;
  if (realm.directory.isEnabled(session.accountId) && realm.sessions.findSso(sidOf(session.uid))) return session;
  await session.destroy();
  return undefined;
}

/**
 * An authorization request as oidc-provider should see it. It drops `offline_access` unless the request says
 * `prompt=consent`, as the standard allows, and Keycloak keeps it: so it travels under another name until the code is
 * redeemed. And Keycloak does not look at an id token hint here.
 */
export function translateRequest(url: string): string {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const scope = searchParams.get("scope");
  searchParams.delete("id_token_hint");
  if (scope !== null) searchParams.set("scope", scope.split(" ").map((one) => (one === "offline_access" ? "offline" : one)).join(" "));
  return `${pathname}?${searchParams}`;
}

/** The one of Keycloak's actions that is known here; any other is passed over. */
export const passwordAction = "UPDATE_PASSWORD";

/** What the pages on the way have settled so far. */
function resultOf({ oidc }: Pick<Context, "oidc">) {
  return oidc.result && !("error" in oidc.result) ? oidc.result : {};
}

function policy(): ReturnType<typeof interactionPolicy.base> {
  const prompts = interactionPolicy.base();
  // The standard's word would be "consent_required"; Keycloak says this one.
  for (const check of prompts.get("consent").checks) check.error = "interaction_required";
  // A level nobody can reach is asked for with the password again, and then answered with level 1.
  prompts.get("login").checks.add(
    new interactionPolicy.Check("acr_values", "the requested level could not be obtained", ({ oidc }) => {
      const wanted = oidc.params.acr_values?.split(" ") ?? [];
      return wanted.length > 0 && !wanted.some((level) => level === "0" || level === "1") && !resultOf({ oidc }).login;
    }),
  );
  // Whoever makes an account is signed in by that; what was asked for beside it comes once it is known who it is.
  prompts.add(new interactionPolicy.Prompt({ name: "create", requestable: true }), 0);
  const wants = ({ oidc }: Pick<Context, "oidc">) => oidc.params.kc_action === passwordAction && !resultOf({ oidc }).action;
  prompts.add(new interactionPolicy.Prompt({ name: "action" }, new interactionPolicy.Check("action_pending", "the action was not done", wants)));
  return prompts;
}

/** What the person has allowed this client; undefined makes the provider ask. */
async function grantFor(ctx: Context, realm: Realm, provider: Provider): Promise<GrantModel | undefined> {
  const { account, client, session, requestParamScopes } = ctx.oidc;
  if (!account) return undefined;
  if (realm.clients.get(client.clientId)?.consentRequired) {
    const allowed = realm.sessions.consentOf(account.accountId, client.clientId)?.scopes ?? [];
    if ([...requestParamScopes].some((scope) => !allowed.includes(scope))) return undefined;
  }
  const known = session.grantIdFor(client.clientId);
  const kept = known === undefined ? undefined : await provider.Grant.find(known);
  const grant = kept?.accountId === account.accountId ? kept : new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope([...requestParamScopes].join(" ") || "openid");
  await grant.save();
  return grant;
}

function ownEndpoints(issuer: string): Record<string, unknown> {
  return {
    userinfo_endpoint: issuer + routes.userinfo,
    end_session_endpoint: issuer + routes.end_session,
    revocation_endpoint: issuer + routes.revocation,
    introspection_endpoint: issuer + routes.introspection,
    grant_types_supported: ["authorization_code", "refresh_token", "password", "client_credentials", exchangeGrant],
    scopes_supported: clientScopes.split(" ").map((scope) => (scope === "offline" ? "offline_access" : scope)),
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    acr_values_supported: ["0", "1"],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  };
}
