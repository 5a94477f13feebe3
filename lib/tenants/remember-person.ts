import { randomUUID } from "node:crypto";
import { jobContext } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { env } from "@/lib/platform/env";
import { nowDate } from "@/lib/platform/clock";
import { db, isUniqueViolation, transaction, type Tx } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { keycloakNow } from "@/lib/platform/keycloak";
import { ownerTokenKey, ownerTokenKinds } from "@/lib/platform/owner-token-keys";
import { confirmInvalidation, planInvalidation, type StaleRecord } from "@/lib/platform/records";
import { changeAccess } from "./change-access";
import { type PersonState, userRecordKey, writePersonRecords } from "./person-state";
import { defaultPlanId } from "./plan-view";
import type { Identity } from "./schemas";

const clockLeapMs = 60_000;

export type RememberOptions = {
  /** False when they were only looked up, and so were not here. */
  seen?: boolean;
  /** Whether Keycloak was asked just now and has them enabled; left out, the token's time must tell. */
  enabled?: true;
};

/**
 * Learns who somebody is from a verified token: makes the person (and, if allowed, the tenant) at first sight, and
 * carries role, tenant, name and email over when Keycloak says otherwise. A changed role or tenant reaches every key of
 * the person at once, since the copy that key checks read is dropped. Somebody who was disabled in Keycloak and has a token
 * from after that is enabled again; whom an administrator keeps out stays out. A token that is older than what we know changes nothing; what
 * the admin API says is from now. Of the same second, the later write stands.
 *
 * @throws SluiceError `insufficient_permission` when the tenant is unknown and may not be made here.
 */
export async function rememberPerson(identity: Identity, options: RememberOptions = {}): Promise<PersonState> {
  const { userId } = await carryOverPerson(identity, options);
  const state = await writePersonRecords(userId);
  if (!state) throw new SluiceError("internal_error", "The person vanished.");
  return state;
}

export type CarriedOver = { userId: string; outcome: "created" | "updated" | "unchanged" };

/** The same for many: their key checks' copies are dropped where they are stale, but not made. @throws SluiceError as `rememberPerson` */
export async function carryOverPerson(identity: Identity, options: RememberOptions = {}): Promise<CarriedOver> {
  if (options.seen === false) {
    // Of thousands who are copied every hour hardly anybody has changed: they cost one look.
    const known = await db().user.findUnique({ where: { issuer_sub: { issuer: identity.issuer, sub: identity.sub } }, include: { tenant: { select: { id: true, slug: true } } } });
    if (known?.keycloakState === "enabled" && known.tenant.slug === identity.tenant && differing(saidOf(identity, known.tenant.id), known).length === 0) return { userId: known.id, outcome: "unchanged" };
  }
  const { pending, ...done } = await carryOver(identity, options).catch((error: unknown) => {
    // Two first sign-ins at once: the other one made the row.
    if (isUniqueViolation(error)) return carryOver(identity, options);
    throw error;
  });
  if (pending) await confirmInvalidation(pending);
  return done;
}

const saidOf = (identity: Identity, tenantId: string) =>
  ({ tenantId, username: identity.username, email: identity.email, emailVerified: identity.emailVerified, name: identity.name, role: identity.role, tenantIsOrganization: identity.tenantIsOrganization ?? false });
type Said = ReturnType<typeof saidOf>;
const differing = (said: Said, known: Said) => (Object.keys(said) as (keyof Said)[]).filter((field) => said[field] !== known[field]);

async function carryOver(identity: Identity, options: RememberOptions) {
  const { issuer, sub } = identity;
  const seenAt = options.seen === false ? {} : { lastSeenAt: nowDate() };
  return transaction(async (tx) => {
    const tenantId = await tenantFor(tx, identity.tenant);
    // Two who know different things of one person come one after the other: the later must compare with what the earlier wrote.
    await tx.$queryRaw`SELECT 1 FROM "User" WHERE issuer = ${issuer} AND sub = ${sub} FOR UPDATE`;
    const known = await tx.user.findUnique({ where: { issuer_sub: { issuer, sub } } });
    const said = saidOf(identity, tenantId);
    const since = standsSince(known);
    const saidAt = Math.max(since, identity.issuedAt ?? keycloakNow() ?? 0);
    const saidWhen = saidAt > 0 ? { saidAt: new Date(saidAt) } : {};
    if (!known) {
      const id = newId();
      await tx.user.create({ data: { id, issuer, sub, ...seenAt, ...said, ...saidWhen } });
      return { userId: id, outcome: "created" as const, pending: null };
    }
    // Of two refreshes the one with the older token may come here last, and must not bring back a role that was taken away between them.
    const isOutdated = identity.issuedAt !== undefined && identity.issuedAt < since;
    // A copy that cannot be told from ours is not written: the row's age would say that something changed.
    const changed = isOutdated ? [] : differing(said, known);
    if (changed.length > 0 || seenAt.lastSeenAt) await tx.user.update({ where: { id: known.id }, data: { ...(changed.length > 0 && { ...said, version: { increment: 1 } }), ...saidWhen, ...seenAt } });
    if (changed.includes("tenantId") || changed.includes("role")) await noteChange(tx, known, said);
    const isBack = known.keycloakState !== "enabled" && (options.enabled || isLater(identity.issuedAt, known.keycloakStateAt));
    const back = isBack ? await changeAccess(tx, peopleContext(), known.id, { keycloakState: "enabled" }) : null;
    const stale: StaleRecord[] = back?.stale.length ? back.stale : changed.length > 0 ? [{ key: userRecordKey(known.id), version: known.version + 1 }] : [];
    // The engines read the role from the token: a cached one would go on with the old role until its end.
    if (changed.includes("role")) stale.push(...ownerTokenKinds.map((kind) => ({ key: ownerTokenKey(known.id, kind), version: 0 })));
    const outcome = stale.length > 0 ? ("updated" as const) : ("unchanged" as const);
    return { userId: known.id, outcome, pending: stale.length > 0 ? await planInvalidation(tx, stale) : null };
  });
}

/** Keycloak said so, nobody of ours did it. */
const peopleContext = () => jobContext("people", randomUUID());

/** From when what we know of somebody is, ms of Keycloak's clock. What lies ahead is from before that clock was set back, and binds nobody. */
function standsSince(known: { saidAt: Date | null } | null): number {
  const at = known?.saidAt?.getTime() ?? 0;
  return at > (keycloakNow() ?? at) + clockLeapMs ? 0 : at;
}

const isLater = (issuedAt: number | undefined, at: Date | null) => issuedAt !== undefined && issuedAt > (at?.getTime() ?? 0);

/** A move is told in both tenants. The grant goes along, since it acts for the person; keys and assignments are the old tenant's and stay. */
async function noteChange(tx: Tx, known: { id: string; tenantId: string; role: Identity["role"] }, said: { tenantId: string; role: Identity["role"] }): Promise<void> {
  const moved = known.tenantId !== said.tenantId;
  if (moved) await tx.ownerGrant.updateMany({ where: { userId: known.id }, data: { tenantId: said.tenantId } });
  const data = { ...(known.role !== said.role && { role: { from: known.role, to: said.role } }), ...(moved && { tenant: { from: known.tenantId, to: said.tenantId } }) };
  for (const tenantId of new Set([known.tenantId, said.tenantId])) await recordAudit(tx, peopleContext(), { action: moved ? "user.moved" : "user.role_changed", target: { type: "user", id: known.id }, tenantId, data });
}

async function tenantFor(tx: Tx, slug: string): Promise<string> {
  const known = await tx.tenant.findUnique({ where: { slug }, select: { id: true } });
  if (known) return known.id;
  if (!env().TENANT_AUTO_CREATE && slug !== env().DEFAULT_TENANT) throw new SluiceError("insufficient_permission", `The tenant ${slug} is not known here.`);
  const id = newId();
  await tx.tenant.create({ data: { id, slug, name: slug, planId: defaultPlanId } });
  return id;
}
