import { z } from "zod";
import { AdminApi } from "./admin-api";
import { SetupError } from "./options";
import { Client, Realm, Role, Scope, ServerInfo, User } from "./representations";
import type { Wanted } from "./wanted";

/** One of our clients as the realm has it. */
export type PresentClient = { client: Client; scopeRoles: string[]; serviceRoles: string[]; scopeServiceRoles: string[] };

export type Present = {
  /** Null for an administrator who may not see it. */
  version: string | null;
  realm: Realm;
  roles: string[];
  /** Names of the realm's client scopes. */
  scopes: string[];
  /** By client id; absent: no such client. */
  clients: Record<string, PresentClient>;
  /** Whether everybody may have offline tokens; null when it could not be seen. */
  offlineForAll: boolean | null;
};

/** Reads what the plan needs to know, and changes nothing. @throws SetupError also for a server that is too old. */
export async function readPresent(api: AdminApi, wanted: Wanted): Promise<Present> {
  const realm = await api.get("", Realm);
  if (!realm) throw new SetupError(`there is no realm ${api.realm} at ${api.base}: make it first, or correct KEYCLOAK_ISSUER`);
  const version = versionOf(await api.server("/serverinfo", ServerInfo));
  const scopes = await api.need("/client-scopes", z.array(Scope));
  const roles: string[] = [];
  for (const name of wanted.roles) if (await api.get(`/roles/${encodeURIComponent(name)}`, Role)) roles.push(name);
  const clients: Present["clients"] = {};
  const management = (await findClient(api, "realm-management"))?.id ?? null;
  for (const { clientId, serviceRoles } of wanted.clients) {
    const client = await findClient(api, clientId);
    if (client) clients[clientId] = await readClient(api, client, serviceRoles.length > 0 ? management : null);
  }
  for (const clientId of wanted.audiences) {
    const client = await findClient(api, clientId);
    if (client) clients[clientId] = { client, scopeRoles: [], serviceRoles: [], scopeServiceRoles: [] };
  }
  return { version, realm, roles, scopes: scopes.map((s) => s.name), clients, offlineForAll: await offlineForAll(api, realm) };
}

export async function findClient(api: AdminApi, clientId: string): Promise<Client | null> {
  return (await api.need(`/clients?clientId=${encodeURIComponent(clientId)}`, z.array(Client))).find((c) => c.clientId === clientId) ?? null;
}

const names = (roles: Role[] | null) => (roles ?? []).map((role) => role.name);

async function readClient(api: AdminApi, client: Client, management: string | null): Promise<PresentClient> {
  const scopeRoles = names(await api.need(`/clients/${client.id}/scope-mappings/realm`, z.array(Role)));
  if (!management) return { client, scopeRoles, serviceRoles: [], scopeServiceRoles: [] };
  const scopeServiceRoles = names(await api.need(`/clients/${client.id}/scope-mappings/clients/${management}`, z.array(Role)));
  if (client.serviceAccountsEnabled !== true) return { client, scopeRoles, serviceRoles: [], scopeServiceRoles };
  const account = await api.need(`/clients/${client.id}/service-account-user`, User);
  return { client, scopeRoles, scopeServiceRoles, serviceRoles: names(await api.need(`/users/${account.id}/role-mappings/clients/${management}`, z.array(Role))) };
}

/** Everybody gets the default role; without `offline_access` in it nobody can give machine access. */
async function offlineForAll(api: AdminApi, realm: Realm): Promise<boolean | null> {
  if (!realm.defaultRole) return null;
  const composites = await api.get(`/roles-by-id/${realm.defaultRole.id}/composites/realm`, z.array(Role));
  return composites && names(composites).includes("offline_access");
}

/**
 * The server's version, or null for an administrator who may not see it: the features are there for everybody.
 * @throws SetupError for one without standard token exchange, which came with 26.2.
 */
export function versionOf(info: z.output<typeof ServerInfo>): string | null {
  const version = info.systemInfo?.version ?? null;
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const exchange = info.features?.find((f) => f.name === "TOKEN_EXCHANGE_STANDARD_V2");
  if (version !== null && (major < 26 || (major === 26 && minor < 2))) throw new SetupError(`Keycloak ${version} is too old: 26.2 or newer is needed, for standard token exchange`);
  if (info.features && !exchange) throw new SetupError("this Keycloak knows no standard token exchange: 26.2 or newer is needed");
  if (exchange?.enabled === false) throw new SetupError("standard token exchange is switched off in this Keycloak: take token-exchange-standard out of its --features-disabled");
  return version;
}
