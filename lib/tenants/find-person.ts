import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isUuid } from "@/lib/platform/ids";
import { notFound, SluiceError } from "@/lib/platform/errors";

const fields = { id: true, tenantId: true, username: true, email: true, role: true, sub: true, isActive: true } as const;

/** For admins: any tenant's person by our id. @throws SluiceError `not_found` */
export async function getPerson(userId: string) {
  const person = isUuid(userId) ? await db().user.findUnique({ where: { id: userId }, select: fields }) : null;
  if (!person) throw notFound("No such person.");
  return person;
}

/**
 * The one person of our realm with this verified email, compared exactly (emails are stored in lower case).
 * Anybody can claim an unverified one, so it finds nobody. Nor does it find whom Keycloak has deleted: the email may be another's by now. @throws SluiceError `not_found`, or `conflict` when several have it
 */
export async function findPersonByEmail(email: string) {
  const people = await db().user.findMany({ where: { issuer: env().KEYCLOAK_ISSUER, email: email.toLowerCase(), emailVerified: true, keycloakState: { not: "deleted" } }, select: fields, take: 2 });
  if (people.length > 1) throw new SluiceError("conflict", "Several people have this email.");
  const [person] = people;
  if (!person) throw notFound("Nobody with this verified email is known here. They must have signed in once.");
  return person;
}

/** Our id of whom Keycloak names, or null for somebody who was never seen here. */
export async function findUserId(issuer: string, sub: string): Promise<string | null> {
  return (await db().user.findUnique({ where: { issuer_sub: { issuer, sub } }, select: { id: true } }))?.id ?? null;
}
