import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { accessRecords, dropAccess } from "./token-cache";
import { grantsContext, lockGrant } from "./vault";

/**
 * Ends a grant that was given before an admin's sign-out at Keycloak. Keycloak still honours an offline token
 * issued in the very second of the sign-out, and each refresh moves the token past that second. So the time of giving decides, equal
 * seconds count as before, and a refresh under way meets a newer generation.
 *
 * @param notBefore seconds of Keycloak's clock, as the admin API tells them of a person.
 * @param options.note the sessions from before are ended already, so the sign-out may be noted as done.
 * @returns whether a grant ended.
 * @throws SluiceError `store_unavailable`
 */
export async function endSignedOutGrant(userId: string, notBefore: number, options: { note?: true } = {}): Promise<boolean> {
  const ended = await transaction(async (tx) => {
    await lockGrant(tx, userId);
    // In the same transaction, so that a grant stored meanwhile is either ended here or refused by the mark.
    if (options.note) await tx.user.updateMany({ where: { id: userId, signedOutBefore: { lt: notBefore } }, data: { signedOutBefore: notBefore } });
    const row = await tx.ownerGrant.findUnique({ where: { userId } });
    if (!row?.sealed || (row.issuedAt ?? Math.floor(row.givenAt.getTime() / 1000)) > notBefore) return null;
    const { generation } = await tx.ownerGrant.update({ where: { userId }, data: { status: "needs_reauth", statusReason: "stale", sealed: "", generation: { increment: 1 }, idleDeadlineAt: null, absDeadlineAt: null } });
    const about = { target: { type: "user" as const, id: userId }, tenantId: row.tenantId, data: { reason: "stale" } };
    await recordAudit(tx, grantsContext(), { action: "grant.lost", ...about });
    await recordAudit(tx, grantsContext(), { action: "owner.reauth_required", ...about });
    return { generation, pending: await planInvalidation(tx, accessRecords(userId, generation)) };
  });
  if (!ended) return false;
  await dropAccess(userId, ended.generation);
  await confirmInvalidation(ended.pending);
  logger.info({ userId, reason: "stale" }, "a grant is lost: an admin signed its owner out");
  return true;
}
