import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isUuid } from "@/lib/platform/ids";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { canReadKeycloak, findKeycloakUser, getKeycloakUser, type KeycloakUser, membershipReader } from "@/lib/platform/keycloak-admin";
import { noSuchTenant } from "./get-tenant";
import { knownFields, knownIdentity, readIdentity } from "./read-identity";
import { rememberPerson } from "./remember-person";

export type FoundPerson = { userId: string; tenantId: string; username: string };

const fields = { id: true, tenantId: true, username: true } as const;
const found = ({ id, ...rest }: { id: string; tenantId: string; username: string }): FoundPerson => ({ userId: id, ...rest });

/**
 * For admins who name a person of a tenant by username, verified email or our id: as known here, else as Keycloak knows
 * them, who are then remembered with role and tenant as if they had signed in, but not as having been here.
 *
 * @param tenant slug or id. A tenant that Keycloak names first with this person is made, where tenants make themselves.
 * @throws SluiceError `not_found` when nobody is called so, or they belong to another tenant; `conflict` when several have the
 *   email or Keycloak has disabled them; `identity_unavailable`
 */
export async function lookUpPerson(tenant: string, user: string): Promise<FoundPerson> {
  const known = await db().tenant.findFirst({ where: isUuid(tenant) ? { OR: [{ id: tenant }, { slug: tenant }] } : { slug: tenant }, select: { id: true } });
  const person = (known && (await findKnown(known.id, user))) ?? (await fetchFromKeycloak(user));
  if (!person) throw known ? nobody(user) : noSuchTenant();
  const { tenantId } = person;
  if (tenantId !== known?.id && (await db().tenant.count({ where: { id: tenantId, slug: tenant } })) === 0) throw known ? nobody(user) : noSuchTenant();
  return person;
}

const nobody = (user: string) => notFound(`There is nobody called ${user} in this tenant${canReadKeycloak() ? ", here or in Keycloak" : ". They must have signed in once"}.`);

/** Somebody deleted and made again has a new id under the old name. */
const existing = { not: "deleted" } as const;

async function findKnown(tenantId: string, user: string): Promise<FoundPerson | null> {
  const called = isUuid(user) ? [{ id: user }] : [{ username: user }, { email: user.toLowerCase(), emailVerified: true }];
  const people = await db().user.findMany({ where: { tenantId, issuer: env().KEYCLOAK_ISSUER, keycloakState: existing, OR: called }, select: fields, take: 2 });
  if (people.length > 1) throw new SluiceError("conflict", `Several people of this tenant are called ${user}. Name them by their id.`);
  return people[0] ? found(people[0]) : null;
}

/** By our id or Keycloak's (`sub`), in whichever tenant they are. @throws SluiceError as `lookUpPerson` */
export async function lookUpPersonById(id: string): Promise<FoundPerson> {
  const called = [{ issuer: env().KEYCLOAK_ISSUER, sub: id }, ...(isUuid(id) ? [{ id }] : [])];
  const known = await db().user.findFirst({ where: { OR: called }, select: fields });
  const person = known ? found(known) : (canReadKeycloak() ? await rememberedFrom(await getKeycloakUser(id)) : null);
  if (!person) throw notFound(`Nobody has the id ${id}.`);
  return person;
}

async function fetchFromKeycloak(user: string): Promise<FoundPerson | null> {
  return isUuid(user) || !canReadKeycloak() ? null : rememberedFrom(await findKeycloakUser(user));
}

async function rememberedFrom(user: KeycloakUser | null): Promise<FoundPerson | null> {
  if (!user) return null;
  if (!user.enabled) throw new SluiceError("conflict", `${user.username} is disabled in Keycloak.`);
  const known = await db().user.findUnique({ where: { issuer_sub: { issuer: env().KEYCLOAK_ISSUER, sub: user.id } }, select: knownFields });
  const { person } = await rememberPerson(await readIdentity(user, membershipReader(), known && knownIdentity(known)), { seen: false, enabled: true });
  return { userId: person.userId, tenantId: person.tenantId, username: person.username };
}
