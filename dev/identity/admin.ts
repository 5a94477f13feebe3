import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "../lib/calls";
import { bearerOf } from "./oauth";
import { fixedId, type Person, type RealmRole, realmRoles } from "./realm";
import type { Realm, Tokens } from "./tokens";

type Parts = { realm: Realm; tokens: Tokens };

export const adminPath = "/admin/realms/sluice";

const pageSize = 100;
const groupNames = ["acme", "globex"];

/** The read-only part of the admin API that a user sync needs, for the service account alone. */
export async function answerAdmin(req: IncomingMessage, res: ServerResponse, { realm, tokens }: Parts): Promise<void> {
  const bearer = bearerOf(req);
  const claims = bearer === undefined ? undefined : await tokens.verifyAccess(bearer);
  if (!claims) return sendJson(res, 401, { error: "HTTP 401 Unauthorized" });
  if (!realm.clients.get(claims.azp)?.enabledFlows.has("service")) return sendJson(res, 403, { error: "HTTP 403 Forbidden" });
  // It may read and nothing more.
  if (req.method !== "GET") return sendJson(res, 403, { error: "HTTP 403 Forbidden" });

  const url = new URL(req.url ?? "/", realm.issuer);
  const path = url.pathname.slice(adminPath.length).split("/").filter(Boolean).map(decodeURIComponent);
  // `view-users` shows neither, whether there are any or not.
  if (["clients", "organizations"].includes(path[0] ?? "")) return sendJson(res, 403, { error: "HTTP 403 Forbidden" });
  const answer = read(realm, path, url.searchParams);
  if (answer === undefined) return sendJson(res, 404, { error: path[0] === "users" ? "User not found" : "Resource not found" });
  sendJson(res, 200, answer);
}

function read(realm: Realm, [kind, id, ...rest]: string[], query: URLSearchParams): unknown {
  const shown = (one: Person) => representation(one, realm, query.get("briefRepresentation") === "true");
  const paged = (list: Person[]) => {
    const first = Number(query.get("first") ?? 0);
    return list.slice(first, first + Number(query.get("max") ?? pageSize)).map(shown);
  };
  const what = rest.join("/");
  if (kind === "users" && id === undefined) return paged(realm.directory.list().filter((one) => matches(one, realm, query)));
  if (kind === "users" && id === "count") return realm.directory.list().filter((one) => matches(one, realm, query)).length;
  if (kind === "users") {
    const one = realm.directory.find(id ?? "");
    if (!one) return undefined;
    if (what === "") return representation(one, realm, false);
    if (what === "groups") return one.groups.map((path) => group(path.slice(1)));
    if (what === "role-mappings/realm") return [role("default-roles-sluice"), ...one.roles.map(role)];
    if (what === "role-mappings/realm/composite") return ["default-roles-sluice", "offline_access", "uma_authorization", ...one.roles].map(role);
  }
  if (kind === "roles" && what === "users" && realmRoles.includes(id as RealmRole)) {
    return paged(realm.directory.list().filter((one) => one.roles.includes(id as RealmRole)));
  }
  if (kind === "groups" && id === undefined) return groupNames.map(group);
  if (kind === "groups" && what === "members") {
    const name = groupNames.find((one) => group(one).id === id);
    return name === undefined ? undefined : paged(realm.directory.list().filter((one) => one.groups.includes(`/${name}`)));
  }
  return undefined;
}

function matches(one: Person, realm: Realm, query: URLSearchParams): boolean {
  const exact = query.get("exact") === "true";
  const holds = (text: string, wanted: string) => (exact ? text === wanted.toLowerCase() : text.includes(wanted.toLowerCase()));
  const enabled = query.get("enabled");
  const [username, email, search] = [query.get("username"), query.get("email"), query.get("search")];
  return (
    (enabled === null || realm.directory.isEnabled(one.id) === (enabled === "true")) &&
    (username === null || holds(one.username, username)) &&
    (email === null || holds(one.email, email)) &&
    (search === null || [one.username, one.email, one.firstName, one.lastName].some((text) => text.toLowerCase().includes(search.toLowerCase())))
  );
}

/** An administrator's sign-out shows as `notBefore`, in every view but the brief one. */
function representation(one: Person, realm: Realm, brief: boolean) {
  const { id, username, email, firstName, lastName } = one;
  const shown = { id, username, email, firstName, lastName, emailVerified: true, enabled: realm.directory.isEnabled(id) };
  return brief ? shown : { ...shown, notBefore: realm.sessions.notBeforeOf(id) };
}

function role(name: string) {
  return { id: fixedId(`role/${name}`), name, composite: name === "default-roles-sluice", clientRole: false };
}

function group(name: string) {
  return { id: fixedId(`group/${name}`), name, path: `/${name}` };
}
