import { z } from "zod";
import type { AdminApi } from "./admin-api";
import { SetupError } from "./options";
import { findClient } from "./present";
import { type Client, Role, Scope, User } from "./representations";
import type { Deed } from "./step";

/** Where a new client's secret comes from; called before the client is made, `keep` once it is there. */
export type Secrets = { secretFor(deed: Deed & { do: "create-client" }): string | null; keep(deed: Deed & { do: "create-client" }, secret: string): void };

const management = "realm-management";

async function needClient(api: AdminApi, clientId: string): Promise<Client> {
  const found = await findClient(api, clientId);
  if (!found) throw new SetupError(`the client ${clientId} has gone meanwhile; run this again`);
  return found;
}

/** Does one deed. Ids are looked up now, not when the plan was made. @throws SetupError */
export async function perform(api: AdminApi, deed: Deed, secrets: Secrets): Promise<void> {
  switch (deed.do) {
    case "create-role": return api.write("POST", "/roles", { name: deed.role });
    // Keycloak keeps what an update of the realm does not name.
    case "update-realm": return api.write("PUT", "", deed.settings);
    case "create-client": return createClient(api, deed, secrets);
    case "update-client": return updateClient(api, deed);
    case "add-mapper": return api.write("POST", `/clients/${(await needClient(api, deed.clientId)).id}/protocol-mappers/models`, deed.mapper);
    case "update-mapper": return api.write("PUT", `/clients/${(await needClient(api, deed.clientId)).id}/protocol-mappers/models/${deed.mapper.id}`, deed.mapper);
    case "add-scope": return addScope(api, deed);
    case "allow-roles": return api.write("POST", `/clients/${(await needClient(api, deed.clientId)).id}/scope-mappings/realm`, await roles(api, "", deed.roles));
    case "allow-service-roles": return allowServiceRoles(api, deed);
    case "give-service-roles": return giveServiceRoles(api, deed);
  }
}

async function createClient(api: AdminApi, deed: Deed & { do: "create-client" }, secrets: Secrets): Promise<void> {
  const secret = secrets.secretFor(deed);
  await api.write("POST", "/clients", { ...deed.representation, ...(secret !== null && { secret }) });
  if (secret !== null) secrets.keep(deed, secret);
}

/** Written back whole with our fields replaced; the secret and the mappers, left out, stay as they are. */
async function updateClient(api: AdminApi, { clientId, fields, attributes }: Deed & { do: "update-client" }): Promise<void> {
  const { secret: _secret, protocolMappers: _mappers, ...client } = await needClient(api, clientId);
  await api.write("PUT", `/clients/${client.id}`, { ...client, ...fields, attributes: { ...client.attributes, ...attributes } });
}

async function addScope(api: AdminApi, { clientId, scope, as, insteadOf }: Deed & { do: "add-scope" }): Promise<void> {
  const { id } = await needClient(api, clientId);
  const found = (await api.need("/client-scopes", z.array(Scope))).find((s) => s.name === scope);
  if (!found) throw new SetupError(`the client scope ${scope} has gone meanwhile; run this again`);
  if (insteadOf) await api.write("DELETE", `/clients/${id}/${insteadOf}-client-scopes/${found.id}`);
  await api.write("PUT", `/clients/${id}/${as}-client-scopes/${found.id}`);
}

/** Representations of roles, as Keycloak wants them back, of the realm (`""`) or of a client. */
async function roles(api: AdminApi, owner: string, names: string[]): Promise<Role[]> {
  const found: Role[] = [];
  for (const name of names) found.push(await api.need(`${owner}/roles/${encodeURIComponent(name)}`, Role));
  return found;
}

async function allowServiceRoles(api: AdminApi, { clientId, roles: names }: Deed & { do: "allow-service-roles" }): Promise<void> {
  const [ours, theirs] = [await needClient(api, clientId), await needClient(api, management)];
  await api.write("POST", `/clients/${ours.id}/scope-mappings/clients/${theirs.id}`, await roles(api, `/clients/${theirs.id}`, names));
}

async function giveServiceRoles(api: AdminApi, { clientId, roles: names }: Deed & { do: "give-service-roles" }): Promise<void> {
  const [ours, theirs] = [await needClient(api, clientId), await needClient(api, management)];
  const account = await api.need(`/clients/${ours.id}/service-account-user`, User);
  await api.write("POST", `/users/${account.id}/role-mappings/clients/${theirs.id}`, await roles(api, `/clients/${theirs.id}`, names));
}
