import { z } from "zod";
import { now } from "./clock";
import { env } from "./env";
import { SluiceError } from "./errors";
import { isTokenEndpointError, requestToken } from "./keycloak";
import { callIdentity, identityUnavailable } from "./keycloak-discovery";
import { logger } from "./logger";

/** The few reads of Keycloak's admin API that we need, as the service account `KEYCLOAK_SYNC_CLIENT_ID` with `view-users`. */

/** What a look-up knows of a person; the fields of a user representation that we read. */
const UserRepresentation = z.object({
  id: z.string().min(1).max(255), username: z.string().max(255), email: z.string().max(320).optional(), emailVerified: z.boolean().default(false), enabled: z.boolean().default(true),
  firstName: z.string().max(255).optional(), lastName: z.string().max(255).optional(), attributes: z.record(z.string(), z.array(z.string())).optional(),
}).loose();
export type KeycloakUser = z.infer<typeof UserRepresentation>;

const Named = z.array(z.object({ name: z.string().max(255) }).loose()).max(10_000);
const Groups = z.array(z.object({ path: z.string().max(500) }).loose()).max(10_000);
const Organizations = z.array(z.object({ alias: z.string().max(255).optional(), name: z.string().max(255) }).loose()).max(1000);

const deadlineMs = 8000;
/** A token is used until shortly before its end, by whoever asks in this process. */
const marginMs = 10_000;

export function canReadKeycloak(): boolean {
  return Boolean(env().KEYCLOAK_SYNC_CLIENT_ID && env().KEYCLOAK_SYNC_CLIENT_SECRET);
}

let held: { issuer: string; token: string; expiresAt: number } | null = null;

async function serviceToken(): Promise<string> {
  const issuer = env().KEYCLOAK_ISSUER;
  if (!held || held.issuer !== issuer || held.expiresAt - marginMs < now()) {
    const { accessToken, expiresAt } = await requestToken("sync", { grant_type: "client_credentials" });
    held = { issuer, token: accessToken, expiresAt };
  }
  return held.token;
}

/** @returns null for 404. @throws SluiceError `identity_unavailable` */
async function read<S extends z.ZodType>(path: string, schema: S, options: { mayRefuse?: boolean } = {}): Promise<z.output<S> | null> {
  const url = env().KEYCLOAK_ISSUER.replace(/\/realms\/([^/]+)$/, "/admin/realms/$1") + path;
  for (let round = 0; ; round++) {
    const token = await serviceToken();
    const answer = await callIdentity(url, { method: "GET", deadlineMs, headers: { authorization: `Bearer ${token}` } }).catch((cause: unknown) => { throw identityUnavailable(cause); });
    if (answer.status === 200) {
      const parsed = schema.safeParse(answer.json);
      if (!parsed.success) throw identityUnavailable(parsed.error);
      return parsed.data;
    }
    // The token may have ended with a restart of Keycloak.
    if (answer.status === 401 && round === 0) {
      held = null;
      continue;
    }
    if (answer.status === 404 || (answer.status === 403 && options.mayRefuse)) return null;
    if (answer.status === 403) logger.error({ status: 403 }, "Keycloak refuses our service account: it needs view-users of realm-management");
    throw identityUnavailable(new Error(`the admin API answered ${answer.status}`));
  }
}

/**
 * The one person with this username, else with this verified email; both compared whole.
 * @returns null when there is none. @throws SluiceError `conflict` when several have the email, `identity_unavailable`
 */
export async function findKeycloakUser(usernameOrEmail: string): Promise<KeycloakUser | null> {
  const find = async (by: "username" | "email") => (await read(`/users?${new URLSearchParams({ [by]: usernameOrEmail, exact: "true", max: "2" })}`, z.array(UserRepresentation))) ?? [];
  return translated(async () => {
    const [named] = await find("username");
    if (named || !usernameOrEmail.includes("@")) return named ?? null;
    const owners = await find("email");
    if (owners.length > 1) throw new SluiceError("conflict", "Several people have this email in Keycloak.");
    // Anybody can claim an unverified one.
    return owners[0]?.emailVerified ? owners[0] : null;
  });
}

/** A token endpoint that refuses our account is no fault of whoever asked. */
async function translated<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isTokenEndpointError(error)) throw identityUnavailable(error);
    throw error;
  }
}

/** @returns null for an id that Keycloak does not know. @throws SluiceError `identity_unavailable` */
export async function getKeycloakUser(id: string): Promise<KeycloakUser | null> {
  return translated(() => read(`/users/${encodeURIComponent(id)}`, UserRepresentation));
}

/** Realm roles, those inside other roles included; paths of groups; organizations, where the realm has them and shows them. */
export async function readMemberships(id: string): Promise<{ roles: string[]; groups: string[]; organizations: string[] }> {
  const one = encodeURIComponent(id);
  const [roles, groups, organizations] = await Promise.all([
    read(`/users/${one}/role-mappings/realm/composite`, Named), read(`/users/${one}/groups`, Groups), read(`/organizations/members/${one}/organizations`, Organizations, { mayRefuse: true }),
  ]);
  return { roles: roles?.map((role) => role.name) ?? [], groups: groups?.map((group) => group.path) ?? [], organizations: organizations?.map((o) => o.alias ?? o.name) ?? [] };
}
