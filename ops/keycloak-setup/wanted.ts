import type { ClientKind, Options } from "./options";
import type { Mapper } from "./representations";

/** One of our clients as it must be. What is not named here is the operator's, and stays. */
export type WantedClient = {
  kind: ClientKind;
  clientId: string;
  name: string;
  fields: Record<string, string | boolean>;
  /** Of a client that we make; on one that is there already they are left. */
  fieldsAtFirst: Record<string, string | boolean>;
  attributes: Record<string, string>;
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  mappers: Mapper[];
  defaultScopes: string[];
  optionalScopes: string[];
  /** Realm roles that its tokens may carry: full scope is off, so that a token tells an engine nothing it need not know. */
  scopeRoles: string[];
  /** Roles of `realm-management` for its service account. */
  serviceRoles: string[];
};

export type Wanted = { roles: string[]; clients: WantedClient[]; audiences: string[]; organizations: boolean; realmSettings: boolean };

export const realmRoles = ["admin", "user", "viewer"];

/** What a realm needs, for these options. Pure. */
export function wantedFor(options: Options): Wanted {
  const kinds: ClientKind[] = options.direct ? ["web", "machine", "direct", "sync"] : ["web", "machine", "sync"];
  return {
    roles: realmRoles,
    clients: kinds.map((kind) => (kind === "sync" ? syncClient(options) : personClient(kind, options))),
    audiences: options.audiences, organizations: options.tenants === "organizations", realmSettings: options.realmSettings,
  };
}

const confidential = {
  enabled: true, protocol: "openid-connect", publicClient: false, bearerOnly: false, clientAuthenticatorType: "client-secret",
  implicitFlowEnabled: false, frontchannelLogout: false,
};

const described = {
  web: { name: "Sluice", callback: "/api/auth/callback/keycloak" },
  machine: { name: "Sluice machine access", callback: "/api/owner-grant/callback" },
  direct: { name: "Sluice sign-in by password", callback: null },
};

/** A client whose tokens are people's. */
function personClient(kind: Exclude<ClientKind, "sync">, { authUrl, audiences, clientIds, tenants }: Options): WantedClient {
  const { name, callback } = described[kind];
  const clientId = clientIds[kind];
  return {
    kind, clientId, name,
    fields: {
      ...confidential, fullScopeAllowed: false, standardFlowEnabled: callback !== null, directAccessGrantsEnabled: kind === "direct", serviceAccountsEnabled: false,
      // Lasting access is the owner's to give and to see. Keycloak refuses the password grant where consent is wanted.
      ...(kind !== "web" && { consentRequired: kind === "machine" }),
    },
    fieldsAtFirst: {},
    attributes: {
      ...(callback !== null && { "pkce.code.challenge.method": "S256" }),
      "backchannel.logout.url": `${authUrl}/api/auth/backchannel-logout`,
      "backchannel.logout.session.required": "true",
      // On, every ordinary sign-out would look like the end of the offline session, which lives on.
      "backchannel.logout.revoke.offline.tokens": "false",
      "standard.token.exchange.enabled": "true",
      // A lightweight token names neither the person nor their roles, and no engine could tell whose it is.
      "client.use.lightweight.access.token.enabled": "false",
    },
    redirectUris: callback === null ? [] : [`${authUrl}${callback}`],
    postLogoutRedirectUris: kind === "web" ? [`${authUrl}/signed-out`] : [],
    mappers: [...[clientId, ...audiences].map(audienceMapper), rolesMapper, ...(tenants === "groups" ? [groupsMapper] : [])],
    defaultScopes: ["basic", "acr", "roles", "profile", "email", ...(tenants === "organizations" ? ["organization"] : [])],
    optionalScopes: kind === "web" ? [] : ["offline_access"],
    // `offline_access` is not among them: Keycloak's scope of that name brings its role along when it is asked for.
    scopeRoles: realmRoles,
    serviceRoles: [],
  };
}

/** Reads people and nothing more: a leak of its secret changes nobody. */
function syncClient({ clientIds }: Options): WantedClient {
  return {
    kind: "sync", clientId: clientIds.sync, name: "Sluice user sync",
    fields: { ...confidential, standardFlowEnabled: false, directAccessGrantsEnabled: false, serviceAccountsEnabled: true },
    // An operator who gave the account more meant it to count; nobody's scope is narrowed behind their back.
    fieldsAtFirst: { fullScopeAllowed: false },
    attributes: {}, redirectUris: [], postLogoutRedirectUris: [], mappers: [],
    defaultScopes: ["basic", "roles"], optionalScopes: [], scopeRoles: [], serviceRoles: ["view-users"],
  };
}

/** Exchange narrows to an audience only if our own token has it, and our own verification asks for ours. */
const audienceMapper = (audience: string): Mapper => ({
  name: `aud-${audience}`, protocol: "openid-connect", protocolMapper: "oidc-audience-mapper",
  config: { "included.client.audience": audience, "access.token.claim": "true" },
});

const inEveryToken = { "id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true" };

const rolesMapper: Mapper = {
  name: "roles", protocol: "openid-connect", protocolMapper: "oidc-usermodel-realm-role-mapper",
  config: { "claim.name": "roles", multivalued: "true", "jsonType.label": "String", ...inEveryToken },
};

/** With the full path, since a tenant is the first part of it. */
const groupsMapper: Mapper = {
  name: "groups", protocol: "openid-connect", protocolMapper: "oidc-group-membership-mapper",
  config: { "claim.name": "groups", "full.path": "true", ...inEveryToken },
};
