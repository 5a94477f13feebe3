import { type Context, requirePerson } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { isTokenEndpointError, keycloakClientOf, revokeToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { accessRecords, dropAccess } from "./token-cache";
import { deletedReason, findGrantRow, type GrantRow, isReadable, openOfflineToken } from "./vault";
import { warningDays } from "./warn-owners";

/** Machine access as its owner sees it; times are ISO 8601 or null. `idleUntil` moves on with each use, `actsUntil` does not. */
export type GrantView = {
  status: "missing" | "active" | "needs_reauth" | "owner_disabled";
  givenAt: string | null;
  lastUsedAt: string | null;
  idleUntil: string | null;
  actsUntil: string | null;
};

const endsSoonMs = Math.max(...warningDays) * 86_400_000;

const missing: GrantView = { status: "missing", givenAt: null, lastUsedAt: null, idleUntil: null, actsUntil: null };

function viewOf(row: GrantRow | null): GrantView {
  if (!row || row.statusReason === deletedReason) return missing;
  const text = (at: Date | null) => at?.toISOString() ?? null;
  return { status: statusOf(row), givenAt: text(row.givenAt), lastUsedAt: text(row.lastUsedAt), idleUntil: text(row.idleDeadlineAt), actsUntil: text(row.absDeadlineAt) };
}

/** What our settings cannot open is of no use now; nothing is written down, since they can be mended. */
function statusOf(row: GrantRow): GrantRow["status"] {
  return row.status === "active" && !isReadable(row) ? "needs_reauth" : row.status;
}

/** Why machine access is lost, as far as Keycloak told; `unknown` covers what a later version may add. */
export const lossReasons = ["stale", "ended_at_keycloak", "consent_withdrawn", "rotation_lost", "unreadable", "subject_changed", "unknown"] as const;
export type LossReason = (typeof lossReasons)[number];

/** More of it for the owner's own page: how it was given, and why it is lost. */
export type GrantDetails = GrantView & { through: "consent" | "password" | null; reason: LossReason | null; /** Its absolute end is near enough to be warned of. */ endsSoon: boolean };

/** One's own machine access with all that its owner may want to know. */
export async function getGrantDetails(ctx: Context): Promise<GrantDetails> {
  const row = await findGrantRow(requirePerson(ctx).userId);
  const view = viewOf(row);
  const client = row && view.status !== "missing" ? keycloakClientOf(row.clientId) : null;
  const reason = view.status === "needs_reauth" ? row && !isReadable(row) ? "unreadable" : (lossReasons.find((known) => known === row?.statusReason) ?? "unknown") : null;
  const left = view.status === "active" && row?.absDeadlineAt ? row.absDeadlineAt.getTime() - now() : Infinity;
  return { ...view, through: client === "machine" ? "consent" : client === "direct" ? "password" : null, reason, endsSoon: left <= endsSoonMs };
}

/** One's own machine access. */
export async function getGrant(ctx: Context): Promise<GrantView> {
  return viewOf(await findGrantRow(requirePerson(ctx).userId));
}

/**
 * Takes one's own machine access back, at Keycloak and here: when this returns, no replica has a token of it. Repeating it changes
 * nothing and promises the same.
 * @throws SluiceError `insufficient_permission` for callers other than a browser session; `identity_unavailable` when
 *   Keycloak cannot be told, and then nothing has changed: a token that we forgot could not be revoked any more; `store_unavailable`
 *   when Redis does not confirm, and then the outbox goes on.
 */
export async function deleteGrant(ctx: Context): Promise<GrantView> {
  const { actor } = ctx;
  if (actor.type !== "user" || actor.credential.kind !== "session") throw new SluiceError("insufficient_permission", "Machine access is given and taken back in the browser.");
  const { userId } = actor.person;
  const row = await findGrantRow(userId);
  if (!row) return missing;
  if (row.statusReason === deletedReason) {
    // Taken back earlier, perhaps without a confirmation.
    await dropAccess(userId, row.generation);
    return missing;
  }
  await revoke(row);
  const { generation, pending } = await transaction(async (tx) => {
    const { generation } = await tx.ownerGrant.update({ where: { userId }, data: { status: "needs_reauth", statusReason: deletedReason, sealed: "", generation: { increment: 1 }, idleDeadlineAt: null, absDeadlineAt: null } });
    await recordAudit(tx, ctx, { action: "grant.deleted", target: { type: "user", id: userId } });
    return { generation, pending: await planInvalidation(tx, accessRecords(userId, generation)) };
  });
  await dropAccess(userId, generation);
  await confirmInvalidation(pending);
  return missing;
}

async function revoke(row: GrantRow): Promise<void> {
  const refreshToken = openOfflineToken(row);
  const client = keycloakClientOf(row.clientId);
  if (!refreshToken || !client) return;
  try {
    await revokeToken(client, refreshToken);
  } catch (error) {
    if (isTokenEndpointError(error, "busy", "unavailable")) throw error;
    logger.warn({ err: error, userId: row.userId }, "Keycloak did not revoke a grant's token");
  }
}

/** Whether calls in this person's name reach the engines now. */
export async function hasLiveGrant(userId: string): Promise<boolean> {
  return (await db().ownerGrant.count({ where: { userId, status: "active", OR: env().VAULT_KEKS.map(({ kid }) => ({ sealed: { startsWith: `1.${kid}.` } })) } })) > 0;
}

/** When the grants of these people end for good; null for those without one, or without a known end. */
export async function grantEnd(userIds: string[]): Promise<Map<string, Date | null>> {
  const rows = await db().ownerGrant.findMany({ where: { userId: { in: userIds }, status: { not: "needs_reauth" } }, select: { userId: true, absDeadlineAt: true } });
  const ends = new Map<string, Date | null>(userIds.map((id) => [id, null]));
  for (const row of rows) ends.set(row.userId, row.absDeadlineAt);
  return ends;
}
