import { createHash, randomUUID } from "node:crypto";

/** The realm's own roles; `offline_access` comes with the default roles and is added where a token asks for it. */
export const realmRoles = ["admin", "user", "viewer"] as const;
export type RealmRole = (typeof realmRoles)[number];

export type Client = {
  clientId: string;
  name: string;
  /** Absent for clients that never speak to the token endpoint. */
  secret?: string;
  enabledFlows: ReadonlySet<"code" | "password" | "service" | "exchange">;
  consentRequired: boolean;
  offlineAllowed: boolean;
  redirectUris: readonly string[];
  /** Exact, or with a trailing `*`. */
  postLogoutRedirectUris: readonly string[];
  /** What the audience mappers put into `aud`. */
  audiences: readonly string[];
  /** Where the client hears that a session has ended; absent: nowhere. */
  backchannelUrl?: string;
};

export type Person = {
  /** The token's `sub`. */
  id: string;
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  roles: readonly RealmRole[];
  groups: readonly string[];
};

/** How long things live, in seconds. */
export const lifetimes = {
  code: 60,
  interaction: 1800,
  ssoIdle: 1800,
  ssoMax: 43_200,
  offlineIdle: 2_592_000,
  offlineMax: 7_776_000,
  logoutToken: 120,
} as const;

export type IdentityOptions = {
  /** 0 or absent: the port of the last run when it is free, else any. */
  port?: number;
  /** Absent: nothing survives the process. */
  stateFile?: string;
  /** Origin of the portal; redirect addresses are made from it. */
  sluiceUrl: string;
  /** Origin that hears of sign-outs; the portal's own when absent. */
  backchannelUrl?: string;
  /** Everybody's password. */
  demoPassword: string;
  secrets?: Partial<Record<"web" | "machine" | "direct" | "sync", string>>;
  accessTokenSeconds?: number;
  revokeRefreshToken?: boolean;
  refreshTokenMaxReuse?: number;
  /** On by default. */
  bruteForceProtected?: boolean;
};

/** Internal client that signs a person in for the account page; it has no secret and can redeem nothing. */
export const accountConsole = "account-console";

/** The realm's clients, as the realm file for a real Keycloak has them. */
export function realmClients(options: IdentityOptions): Map<string, Client> {
  const url = options.sluiceUrl.replace(/\/+$/, "");
  const backchannelUrl = `${(options.backchannelUrl ?? url).replace(/\/+$/, "")}/api/auth/backchannel-logout`;
  const secret = (name: "web" | "machine" | "direct" | "sync") => options.secrets?.[name] ?? `sluice-${name}-secret`;
  const plain = { consentRequired: false, offlineAllowed: false, redirectUris: [], postLogoutRedirectUris: [], audiences: [] };
  const clients: Client[] = [
    { ...plain, clientId: "nflow", name: "NFlow", enabledFlows: new Set() },
    { ...plain, clientId: "flowise", name: "Flowise", enabledFlows: new Set() },
    {
      ...plain, clientId: "sluice-web", name: "Sluice", secret: secret("web"), enabledFlows: new Set(["code", "exchange"]),
      redirectUris: [`${url}/api/auth/callback/keycloak`], postLogoutRedirectUris: [`${url}/*`], audiences: ["sluice-web", "nflow", "flowise"], backchannelUrl,
    },
    {
      ...plain, clientId: "sluice-machine", name: "Sluice machine access", secret: secret("machine"), enabledFlows: new Set(["code", "exchange"]),
      consentRequired: true, offlineAllowed: true, redirectUris: [`${url}/api/owner-grant/callback`], audiences: ["sluice-machine", "nflow", "flowise"], backchannelUrl,
    },
    {
      ...plain, clientId: "sluice-direct", name: "Sluice sign-in by password", secret: secret("direct"), enabledFlows: new Set(["password", "exchange"]),
      offlineAllowed: true, audiences: ["sluice-direct", "nflow", "flowise"], backchannelUrl,
    },
    { ...plain, clientId: "sluice-sync", name: "Sluice user sync", secret: secret("sync"), enabledFlows: new Set(["service"]) },
  ];
  return new Map(clients.map((client) => [client.clientId, client]));
}

/** Ids are made from names, so that a person keeps their `sub` when everything else is started over. */
export function fixedId(name: string): string {
  const hex = createHash("sha256").update(`sluice-realm/${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The demo people, as the realm file for a real Keycloak has them. */
export const people: readonly Person[] = [
  person("ada", "acme", "Ada", "Archer", ["admin"]),
  person("uma", "acme", "Uma", "Usher", ["user"]),
  person("vic", "acme", "Vic", "Viewer", ["viewer"]),
  person("gus", "globex", "Gus", "Grant", ["user"]),
  person("dis", "acme", "Dis", "Dale", ["user"]),
  person("nel", "acme", "Nel", "Nash", []),
];

function person(username: string, tenant: string, firstName: string, lastName: string, roles: RealmRole[]): Person {
  return { id: fixedId(`user/${username}`), username, email: `${username}@${tenant}.test`, firstName, lastName, roles, groups: [`/${tenant}`] };
}

/** Now, in whole seconds as tokens count them. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A session id of 24 characters, the length Keycloak gives them. */
export function newSid(): string {
  return sidOf(randomUUID());
}

/** The session id that belongs to a browser session of the provider; the same for its whole life. */
export function sidOf(uid: string): string {
  return createHash("sha256").update(`sid/${uid}`).digest("base64url").slice(0, 24);
}
