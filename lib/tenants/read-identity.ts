import { env } from "@/lib/platform/env";
import { keycloakNow } from "@/lib/platform/keycloak";
import type { KeycloakUser, Memberships, RoleNames } from "@/lib/platform/keycloak-admin";
import { identityOf, roleOf } from "./identity";
import type { Identity } from "./schemas";

/**
 * A person of Keycloak's admin API, read like a token's claims, so that a sign-in later finds the same person in the same tenant.
 *
 * @param known what their last token said. The admin API orders groups differently, may hide organizations or a client's roles
 *   from us, and does not know which of them get into tokens: where it does not speak against that, that stands.
 * @throws SluiceError `identity_unavailable`
 */
export async function readIdentity(user: KeycloakUser, memberships: (id: string) => Promise<Memberships>, known: Pick<Identity, "role" | "tenant" | "tenantIsOrganization"> | null): Promise<Identity> {
  const { TENANT_CLAIM, ROLE_CLIENT, KEYCLOAK_ISSUER } = env();
  // From before the first read: a token that is issued meanwhile knows better.
  const readAt = keycloakNow();
  const { roles, clientRoles, groups, organizations } = await memberships(user.id);
  const name = [user.firstName, user.lastName].filter(Boolean).join(" ");
  const identity = identityOf({
    ...(TENANT_CLAIM && { [TENANT_CLAIM]: user.attributes?.[TENANT_CLAIM] }),
    ...(ROLE_CLIENT && { resource_access: { [ROLE_CLIENT]: { roles: clientRoles ?? [] } } }),
    iss: KEYCLOAK_ISSUER, sub: user.id, preferred_username: user.username, email: user.email, email_verified: user.emailVerified, name: name || undefined,
    roles, groups, ...(organizations?.length && { organization: organizations }), ...(readAt !== null && { iat: readAt / 1000 }),
  });
  if (!known) return identity;
  const tenantStands = (organizations === null && known.tenantIsOrganization && !TENANT_CLAIM) || identity.tenants?.includes(known.tenant);
  return { ...identity, ...(tenantStands && { tenant: known.tenant, tenantIsOrganization: known.tenantIsOrganization }), ...(clientRoles === null && { role: known.role }) };
}

/**
 * The role that these names give, as `readIdentity` would have it.
 * @returns undefined when our account may not see the roles that decide.
 */
export function roleIn({ roles, clientRoles }: RoleNames): Identity["role"] | undefined {
  const { ROLE_CLIENT } = env();
  if (clientRoles === null) return undefined;
  return roleOf({ roles, ...(ROLE_CLIENT && { resource_access: { [ROLE_CLIENT]: { roles: clientRoles } } }) });
}

/** What `readIdentity` wants to know of somebody's row. */
export const knownFields = { role: true, tenantIsOrganization: true, tenant: { select: { slug: true } } } as const;

export function knownIdentity(row: { role: Identity["role"]; tenantIsOrganization: boolean; tenant: { slug: string } }): Pick<Identity, "role" | "tenant" | "tenantIsOrganization"> {
  return { role: row.role, tenant: row.tenant.slug, tenantIsOrganization: row.tenantIsOrganization };
}
