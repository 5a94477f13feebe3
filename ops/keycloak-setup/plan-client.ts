import type { PresentClient } from "./present";
import type { Client, Mapper } from "./representations";
import type { Change, Deed, Step } from "./step";
import type { WantedClient } from "./wanted";

const postLogout = "post.logout.redirect.uris";
/** How Keycloak writes several addresses into one attribute. */
const separator = "##";
const shown = (value: unknown): string => (value === undefined || value === null ? "" : Array.isArray(value) ? value.join(" ") : String(value));

/** The steps that make a client which is not there. */
export function createClient(wanted: WantedClient, realmScopes: string[]): Step[] {
  const { clientId, name, kind, mappers } = wanted;
  const attributes = { ...wanted.attributes, ...(wanted.postLogoutRedirectUris.length > 0 && { [postLogout]: wanted.postLogoutRedirectUris.join(separator) }) };
  const defaultClientScopes = wanted.defaultScopes.filter((scope) => realmScopes.includes(scope));
  const optionalClientScopes = wanted.optionalScopes.filter((scope) => realmScopes.includes(scope));
  const fields = { ...wanted.fields, ...wanted.fieldsAtFirst };
  const representation = { clientId, name, ...fields, redirectUris: wanted.redirectUris, attributes, protocolMappers: mappers, defaultClientScopes, optionalClientScopes };
  const lines: Record<string, unknown> = { ...fields, ...(wanted.redirectUris.length > 0 && { redirectUris: wanted.redirectUris }), ...attributes, "protocol mappers": mappers.map((m) => m.name), "default scopes": defaultClientScopes, "optional scopes": optionalClientScopes, "roles in scope": wanted.scopeRoles, "service account roles": wanted.serviceRoles };
  const changes = Object.entries(lines).map(([field, to]) => ({ field, from: "", to: shown(to) })).filter((c) => c.to !== "" && (c.to !== "false" || c.field === "fullScopeAllowed"));
  return [
    { verdict: "create", what: `client ${clientId}`, changes, deeds: [{ do: "create-client", clientId, representation, secretOf: kind }, ...roleDeeds(wanted, [], [], [])] },
    ...missingScopes(wanted, realmScopes),
  ];
}

/** The steps that make a client of ours what it must be. What it has beyond that is left, and said. */
export function reviewClient(present: PresentClient, wanted: WantedClient, realmScopes: string[]): Step[] {
  const { client } = present;
  const what = `client ${wanted.clientId}`;
  const changes: Change[] = [];
  const deeds: Deed[] = [];
  reviewFields(client, wanted, changes, deeds);
  reviewMappers(client, wanted, changes, deeds);
  reviewScopes(client, wanted, realmScopes, changes, deeds);
  for (const deed of roleDeeds(wanted, present.scopeRoles, present.serviceRoles, client.fullScopeAllowed === true ? wanted.serviceRoles : present.scopeServiceRoles)) {
    deeds.push(deed);
    changes.push({ field: roleField[deed.do], from: "", to: `+ ${deed.roles.join(" ")}` });
  }
  const first: Step = deeds.length > 0 ? { verdict: "change", what, changes, deeds } : { verdict: "leave", what, why: "is as it must be" };
  return [first, ...beyondOurs(present, wanted), ...missingScopes(wanted, realmScopes)];
}

function reviewFields(client: Client, wanted: WantedClient, changes: Change[], deeds: Deed[]): void {
  const fields: Record<string, unknown> = {};
  const attributes: Record<string, string> = {};
  for (const [field, to] of Object.entries(wanted.fields)) {
    // Keycloak leaves out what is off.
    if (client[field] === to || (to === false && client[field] === undefined)) continue;
    fields[field] = to;
    changes.push({ field, from: shown(client[field]), to: shown(to) });
  }
  const uris = [...client.redirectUris, ...wanted.redirectUris.filter((uri) => !client.redirectUris.includes(uri))];
  if (uris.length > client.redirectUris.length) {
    fields.redirectUris = uris;
    changes.push({ field: "redirectUris", from: shown(client.redirectUris), to: shown(uris) });
  }
  const afterSignOut = listed(client.attributes[postLogout]);
  const missing = wanted.postLogoutRedirectUris.filter((uri) => !afterSignOut.includes(uri));
  const wantedAttributes = { ...wanted.attributes, ...(missing.length > 0 && { [postLogout]: [...afterSignOut, ...missing].join(separator) }) };
  for (const [name, to] of Object.entries(wantedAttributes)) {
    // Keycloak leaves out what is off.
    if ((client.attributes[name] ?? "false") === to) continue;
    attributes[name] = to;
    changes.push({ field: name, from: shown(client.attributes[name]), to });
  }
  if (Object.keys(fields).length + Object.keys(attributes).length > 0) deeds.push({ do: "update-client", clientId: wanted.clientId, fields, attributes });
}

/** Two mappers are the same one when they fill the same claim in the same way, whatever they are called. */
function sameTarget(a: Mapper, b: Mapper): boolean {
  const key = b.protocolMapper === "oidc-audience-mapper" ? "included.client.audience" : "claim.name";
  return a.protocolMapper === b.protocolMapper && a.config[key] === b.config[key];
}

function reviewMappers(client: Client, wanted: WantedClient, changes: Change[], deeds: Deed[]): void {
  const { clientId } = wanted;
  for (const mapper of wanted.mappers) {
    const found = client.protocolMappers.find((m) => sameTarget(m, mapper));
    if (!found) {
      const isTaken = client.protocolMappers.some((m) => m.name === mapper.name);
      const added = { ...mapper, name: isTaken ? `sluice-${mapper.name}` : mapper.name };
      changes.push({ field: `mapper ${added.name}`, from: "", to: mapper.protocolMapper });
      deeds.push({ do: "add-mapper", clientId, mapper: added });
      continue;
    }
    const different = Object.entries(mapper.config).filter(([key, value]) => found.config[key] !== value);
    if (different.length === 0) continue;
    for (const [key, value] of different) changes.push({ field: `mapper ${found.name} ${key}`, from: shown(found.config[key]), to: value });
    deeds.push({ do: "update-mapper", clientId, mapper: { ...found, config: { ...found.config, ...mapper.config } } });
  }
}

function reviewScopes(client: Client, wanted: WantedClient, realmScopes: string[], changes: Change[], deeds: Deed[]): void {
  const { clientId } = wanted;
  for (const scope of wanted.defaultScopes.filter((s) => realmScopes.includes(s) && !client.defaultClientScopes.includes(s))) {
    const isOptional = client.optionalClientScopes.includes(scope);
    changes.push({ field: `scope ${scope}`, from: isOptional ? "optional" : "", to: "default" });
    deeds.push({ do: "add-scope", clientId, scope, as: "default", insteadOf: isOptional ? "optional" : null });
  }
  const held = [...client.defaultClientScopes, ...client.optionalClientScopes];
  for (const scope of wanted.optionalScopes.filter((s) => realmScopes.includes(s) && !held.includes(s))) {
    changes.push({ field: `scope ${scope}`, from: "", to: "optional" });
    deeds.push({ do: "add-scope", clientId, scope, as: "optional", insteadOf: null });
  }
}

type RoleDeed = Deed & { do: "allow-roles" | "allow-service-roles" | "give-service-roles" };
const roleField: Record<RoleDeed["do"], string> = { "allow-roles": "roles in scope", "allow-service-roles": "realm-management roles in scope", "give-service-roles": "service account roles" };

/** A service account's role counts only if it is in the client's scope too, unless that scope is full. */
function roleDeeds({ clientId, scopeRoles, serviceRoles }: WantedClient, inScope: string[], given: string[], serviceInScope: string[]): RoleDeed[] {
  const lacking = (wanted: string[], has: string[]) => wanted.filter((role) => !has.includes(role));
  const deeds: RoleDeed[] = [
    { do: "allow-roles", clientId, roles: lacking(scopeRoles, inScope) },
    { do: "give-service-roles", clientId, roles: lacking(serviceRoles, given) },
    { do: "allow-service-roles", clientId, roles: lacking(serviceRoles, serviceInScope) },
  ];
  return deeds.filter((deed) => deed.roles.length > 0);
}

/** What a client of ours allows beyond what we asked for: kept, since somebody may need it, and told, since it may be a hole. */
function beyondOurs({ client, serviceRoles }: PresentClient, wanted: WantedClient): Step[] {
  const what = `client ${wanted.clientId}`;
  const found: string[] = [];
  const extra = (label: string, has: string[], ours: string[]) => {
    for (const one of has.filter((h) => !ours.includes(h))) found.push(`${label} ${one} is not ours; kept${one.includes("*") ? ", but an open end there can carry codes and people elsewhere" : ""}`);
  };
  extra("redirect address", client.redirectUris, wanted.redirectUris);
  extra("post-logout address", listed(client.attributes[postLogout]), ["+", ...wanted.postLogoutRedirectUris]);
  extra("service account role", serviceRoles, wanted.serviceRoles);
  const mayAskOffline = [...client.defaultClientScopes, ...client.optionalClientScopes].includes("offline_access");
  if (mayAskOffline && !wanted.optionalScopes.includes("offline_access")) found.push("may ask for offline_access, which it does not need; take that scope out unless something of yours uses it");
  if (client.defaultClientScopes.includes("offline_access") && wanted.optionalScopes.includes("offline_access")) found.push("has offline_access as a default scope: every sign-in leaves an offline session; make it optional");
  return found.map((why) => ({ verdict: "look", what, why }));
}

/** `+` stands for the redirect addresses and goes with others; a `-` refuses all, whatever else is there. */
function listed(attribute: string | undefined): string[] {
  return (attribute ?? "").split(separator).filter((one) => one !== "" && one !== "-");
}

function missingScopes(wanted: WantedClient, realmScopes: string[]): Step[] {
  const missing = [...wanted.defaultScopes, ...wanted.optionalScopes].filter((scope) => !realmScopes.includes(scope));
  return missing.length === 0 ? [] : [{ verdict: "look", what: `client ${wanted.clientId}`, why: `the realm has no client scope ${missing.join(", ")}, which Keycloak makes in new realms` }];
}
