import { env } from "@/lib/platform/env";
import { nowDate } from "@/lib/platform/clock";
import { isUniqueViolation, transaction, type Tx } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { confirmInvalidation, planInvalidation, type StaleRecord } from "@/lib/platform/records";
import { type PersonState, userRecordKey, writePersonRecords } from "./person-state";
import { defaultPlanId } from "./plan-view";
import type { Identity } from "./schemas";

/**
 * Learns who somebody is from a verified token: makes the person (and, if allowed, the tenant) at first sight, and
 * carries role, tenant, name and email over when Keycloak says otherwise. A changed role or tenant reaches every key of
 * the person at once, since the copy that key checks read is dropped. Never changes `isActive`: only an admin lifts that.
 *
 * @param options.seen false when they were only looked up, and so were not here
 * @throws SluiceError `insufficient_permission` when the tenant is unknown and may not be made here.
 */
export async function rememberPerson(identity: Identity, options: { seen?: boolean } = {}): Promise<PersonState> {
  const seenAt = options.seen === false ? {} : { lastSeenAt: nowDate() };
  try {
    return await remember(identity, seenAt);
  } catch (error) {
    // Two first sign-ins at once: the other one made the row.
    if (isUniqueViolation(error)) return remember(identity, seenAt);
    throw error;
  }
}

async function remember(identity: Identity, seenAt: { lastSeenAt?: Date }): Promise<PersonState> {
  const { userId, pending } = await transaction(async (tx) => {
    const tenantId = await tenantFor(tx, identity.tenant);
    // Two who know different things of one person come one after the other: the later must compare with what the earlier wrote.
    await tx.$queryRaw`SELECT 1 FROM "User" WHERE issuer = ${identity.issuer} AND sub = ${identity.sub} FOR UPDATE`;
    const known = await tx.user.findUnique({ where: { issuer_sub: { issuer: identity.issuer, sub: identity.sub } } });
    const said = { tenantId, username: identity.username, email: identity.email, emailVerified: identity.emailVerified, name: identity.name, role: identity.role };
    if (!known) {
      const id = newId();
      await tx.user.create({ data: { id, issuer: identity.issuer, sub: identity.sub, ...seenAt, ...said } });
      return { userId: id, pending: null };
    }
    const changed = (Object.keys(said) as (keyof typeof said)[]).some((field) => said[field] !== known[field]);
    await tx.user.update({ where: { id: known.id }, data: { ...(changed && said), ...seenAt, ...(changed && { version: { increment: 1 } }) } });
    const stale: StaleRecord[] = changed ? [{ key: userRecordKey(known.id), version: known.version + 1 }] : [];
    return { userId: known.id, pending: stale.length ? await planInvalidation(tx, stale) : null };
  });
  if (pending) await confirmInvalidation(pending);
  const state = await writePersonRecords(userId);
  if (!state) throw new SluiceError("internal_error", "The person vanished.");
  return state;
}

async function tenantFor(tx: Tx, slug: string): Promise<string> {
  const known = await tx.tenant.findUnique({ where: { slug }, select: { id: true } });
  if (known) return known.id;
  if (!env().TENANT_AUTO_CREATE && slug !== env().DEFAULT_TENANT) throw new SluiceError("insufficient_permission", `The tenant ${slug} is not known here.`);
  const id = newId();
  await tx.tenant.create({ data: { id, slug, name: slug, planId: defaultPlanId } });
  return id;
}
