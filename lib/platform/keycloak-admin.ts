import { z } from "zod";
import { now } from "./clock";
import { env } from "./env";
import { SluiceError } from "./errors";
import { isTokenEndpointError, requestToken } from "./keycloak";
import { callIdentity, type HttpAnswer, identityUnavailable } from "./keycloak-discovery";
import { logger } from "./logger";

/** The few calls of Keycloak's admin API that we make, as the service account `KEYCLOAK_SYNC_CLIENT_ID` with `view-users`. */

/** The fields of a user representation that we read. Lists in their brief form have neither `attributes` nor `notBefore`. */
const UserRepresentation = z.object({
  id: z.string().min(1).max(255), username: z.string().max(255), email: z.string().max(320).optional(), emailVerified: z.boolean().default(false), enabled: z.boolean().default(true),
  firstName: z.string().max(255).optional(), lastName: z.string().max(255).optional(), attributes: z.record(z.string(), z.array(z.string())).optional(),
  /** Seconds of Keycloak's clock: an administrator's "sign out" ended what began before. */
  notBefore: z.int().min(0).optional(),
}).loose();
export type KeycloakUser = z.infer<typeof UserRepresentation>;

const Named = z.array(z.object({ name: z.string().max(255) }).loose()).max(10_000);
const Groups = z.array(z.object({ path: z.string().max(500) }).loose()).max(10_000);
const Organizations = z.array(z.object({ alias: z.string().max(255).optional(), name: z.string().max(255) }).loose()).max(1000);
const Clients = z.array(z.object({ id: z.string().max(255), clientId: z.string().max(255) }).loose()).max(100);
const Failure = z.object({ error: z.string().max(1000).catch("") }).loose();

const deadlineMs = 8000;
/** A token is used until shortly before its end, by whoever asks in this process. */
const marginMs = 10_000;

export function canReadKeycloak(): boolean {
  return Boolean(env().KEYCLOAK_SYNC_CLIENT_ID && env().KEYCLOAK_SYNC_CLIENT_SECRET);
}

type Held = { issuer: string; token: string; freshUntil: number };
let held: Held | null = null;
let asking: Promise<Held> | null = null;

async function serviceToken(): Promise<string> {
  const issuer = env().KEYCLOAK_ISSUER;
  if (held?.issuer === issuer && held.freshUntil > now()) return held.token;
  asking ??= requestToken("sync", { grant_type: "client_credentials" })
    .then(({ accessToken, expiresAt, expiresInSeconds }) => (held = { issuer, token: accessToken, freshUntil: expiresAt - Math.min(marginMs, expiresInSeconds * 333) }))
    .finally(() => { asking = null; });
  return (await asking).token;
}

const refused = Symbol("refused");
type ReadOptions = { mayRefuse?: true; deadlineMs?: number };

/** @returns null for 404; `refused` for 403, where that may be. @throws SluiceError `identity_unavailable` */
async function read<S extends z.ZodType>(path: string, schema: S, options?: Omit<ReadOptions, "mayRefuse">): Promise<z.output<S> | null>;
async function read<S extends z.ZodType>(path: string, schema: S, options: ReadOptions & { mayRefuse: true }): Promise<z.output<S> | null | typeof refused>;
async function read<S extends z.ZodType>(path: string, schema: S, options?: ReadOptions): Promise<z.output<S> | null | typeof refused> {
  const answer = await ask("GET", path, options?.deadlineMs);
  if (answer.status === 200) {
    const parsed = schema.safeParse(answer.json);
    if (!parsed.success) throw identityUnavailable(parsed.error);
    return parsed.data;
  }
  // A realm that is gone, or just being restored, says nothing of its people.
  if (answer.status === 404 && !/realm/i.test(Failure.safeParse(answer.json).data?.error ?? "")) return null;
  if (answer.status === 403 && options?.mayRefuse) return refused;
  if (answer.status === 403) logger.error({ status: 403 }, "Keycloak refuses our service account: it needs view-users of realm-management");
  throw identityUnavailable(new Error(`the admin API answered ${answer.status}`));
}

async function ask(method: "GET" | "POST", path: string, deadline = deadlineMs): Promise<HttpAnswer> {
  const url = env().KEYCLOAK_ISSUER.replace(/\/realms\/([^/]+)$/, "/admin/realms/$1") + path;
  for (let round = 0; ; round++) {
    const token = await translated(serviceToken);
    const answer = await callIdentity(url, { method, deadlineMs: deadline, headers: { authorization: `Bearer ${token}` } }).catch((cause: unknown) => { throw identityUnavailable(cause); });
    // The token may have ended with a restart of Keycloak.
    if (answer.status !== 401 || round > 0) return answer;
    held = null;
  }
}

/** A token endpoint that refuses our account is no fault of whoever asked. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isTokenEndpointError(error)) throw identityUnavailable(error);
    throw error;
  }
}

/**
 * The one person with this username, else with this verified email; both compared whole.
 * @returns null when there is none. @throws SluiceError `conflict` when several have the email, `identity_unavailable`
 */
export async function findKeycloakUser(usernameOrEmail: string): Promise<KeycloakUser | null> {
  const [named] = await listBy("username", usernameOrEmail);
  if (named || !usernameOrEmail.includes("@")) return named ?? null;
  return findKeycloakUserByEmail(usernameOrEmail);
}

/** The one person with this verified email: anybody can claim an unverified one. @throws SluiceError as `findKeycloakUser` */
export async function findKeycloakUserByEmail(email: string): Promise<KeycloakUser | null> {
  const owners = await listBy("email", email);
  if (owners.length > 1) throw new SluiceError("conflict", "Several people have this email in Keycloak.");
  return owners[0]?.emailVerified ? owners[0] : null;
}

const listBy = (by: "username" | "email", value: string) => listed(`/users?${new URLSearchParams({ [by]: value, exact: "true", max: "2" })}`);

/** @returns null for an id that Keycloak does not know. @throws SluiceError `identity_unavailable` */
export async function getKeycloakUser(id: string, options: { deadlineMs?: number } = {}): Promise<KeycloakUser | null> {
  return read(`/users/${encodeURIComponent(id)}`, UserRepresentation, options);
}

/** A page of everybody but service accounts, by name; `brief` leaves out attributes. @throws SluiceError `identity_unavailable` */
export async function listKeycloakUsers({ first, max, enabled, brief = false }: { first: number; max: number; enabled?: boolean; brief?: boolean }): Promise<KeycloakUser[]> {
  return listed(`/users?${new URLSearchParams({ first: String(first), max: String(max), ...(enabled !== undefined && { enabled: String(enabled) }), briefRepresentation: String(brief) })}`);
}

/** A list that is not there is a failure: an empty one would say that everybody is gone. */
async function listed(path: string): Promise<KeycloakUser[]> {
  const users = await read(path, z.array(UserRepresentation).max(1000));
  if (!users) throw identityUnavailable(new Error("the admin API knows no list of people"));
  return users;
}

/** How many people the realm has. @throws SluiceError `identity_unavailable` */
export async function countKeycloakUsers(): Promise<number> {
  const count = await read("/users/count", z.int().min(0));
  if (count === null) throw identityUnavailable(new Error("the admin API does not count"));
  return count;
}

/**
 * Effective realm roles, those of `ROLE_CLIENT` where one is named, paths of groups, and organizations. `clientRoles` and
 * `organizations` are null where our account may not see them.
 */
export type Memberships = { roles: string[]; clientRoles: string[] | null; groups: string[]; organizations: string[] | null };

/** The part of `Memberships` that decides what a person may do. */
export type RoleNames = Pick<Memberships, "roles" | "clientRoles">;

/**
 * Reads effective roles, of one person or of many in turn; the id of `ROLE_CLIENT` is looked up once.
 * @throws SluiceError `identity_unavailable`
 */
export function roleReader(): (id: string) => Promise<RoleNames> {
  let clientUuid: string | null | undefined;

  async function clientRoles(one: string): Promise<string[] | null> {
    const { ROLE_CLIENT: clientId } = env();
    if (!clientId) return [];
    if (clientUuid === undefined) {
      const found = await read(`/clients?${new URLSearchParams({ clientId })}`, Clients, { mayRefuse: true });
      clientUuid = found === refused ? null : (found?.find((client) => client.clientId === clientId)?.id ?? null);
    }
    // With `view-users` alone clients are hidden, and people's roles of them.
    if (clientUuid === null) return null;
    const roles = await read(`/users/${one}/role-mappings/clients/${encodeURIComponent(clientUuid)}/composite`, Named, { mayRefuse: true });
    return roles === refused ? null : (roles?.map((role) => role.name) ?? []);
  }

  return async (id) => {
    const one = encodeURIComponent(id);
    const [roles, ofClient] = await Promise.all([read(`/users/${one}/role-mappings/realm/composite`, Named), clientRoles(one)]);
    return { roles: roles?.map((role) => role.name) ?? [], clientRoles: ofClient };
  };
}

/**
 * Reads memberships, of one person or of many in turn: what a realm does not have, or does not show us, is asked for once.
 * @throws SluiceError `identity_unavailable`
 */
export function membershipReader(): (id: string) => Promise<Memberships> {
  let organizationsAre: "unknown" | "hidden" | "absent" = "unknown";
  const rolesOf = roleReader();

  async function organizations(one: string): Promise<string[] | null> {
    if (organizationsAre !== "unknown") return organizationsAre === "hidden" ? null : [];
    const found = await read(`/organizations/members/${one}/organizations`, Organizations, { mayRefuse: true });
    if (found === refused) organizationsAre = "hidden";
    else if (found === null) organizationsAre = "absent";
    else return found.map((o) => o.alias ?? o.name);
    return found === refused ? null : [];
  }

  return async (id) => {
    const one = encodeURIComponent(id);
    const [roles, groups, ofOrganizations] = await Promise.all([rolesOf(id), read(`/users/${one}/groups?max=1000`, Groups), organizations(one)]);
    return { ...roles, groups: groups?.map((group) => group.path) ?? [], organizations: ofOrganizations };
  };
}

/**
 * Ends every session that somebody has in Keycloak, offline ones included.
 * @returns whether our account may: `view-users` alone may not. @throws SluiceError `identity_unavailable`
 */
export async function signOutKeycloakUser(id: string): Promise<"ended" | "not_permitted"> {
  const { status } = await ask("POST", `/users/${encodeURIComponent(id)}/logout`);
  if (status === 403) return "not_permitted";
  // 404: nobody of that id is left, nor a session of theirs.
  if (status === 204 || status === 200 || status === 404) return "ended";
  throw identityUnavailable(new Error(`the admin API answered ${status}`));
}
