import { db } from "@/lib/platform/db";
import { keycloakNow } from "@/lib/platform/keycloak";
import type { RoleNames } from "@/lib/platform/keycloak-admin";
import { carryOverPerson, roleIn } from "@/lib/tenants";

/**
 * Takes over the role that Keycloak gives a person now, and nothing else: tenants are left to tokens and the sync, since the admin API
 * names them in another order.
 *
 * @returns whether the role was another one.
 * @throws SluiceError `identity_unavailable`, `store_unavailable`
 */
export async function takeOverRole({ userId, sub }: { userId: string; sub: string }, rolesOf: (id: string) => Promise<RoleNames>): Promise<boolean> {
  // From before the reading: a token that is issued meanwhile knows better.
  const readAt = keycloakNow();
  const role = roleIn(await rolesOf(sub));
  if (role === undefined) return false;
  const known = await db().user.findUniqueOrThrow({ where: { id: userId }, include: { tenant: { select: { slug: true } } } });
  if (known.role === role) return false;
  const { issuer, username, email, emailVerified, name, tenant, tenantIsOrganization } = known;
  const { outcome } = await carryOverPerson({ issuer, sub, username, email, emailVerified, name, role, tenant: tenant.slug, tenantIsOrganization, ...(readAt !== null && { issuedAt: readAt }) }, { seen: false });
  return outcome === "updated";
}
