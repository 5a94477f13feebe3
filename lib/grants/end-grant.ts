import type { Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { keycloakClientOf, revokeToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { accessRecords, dropAccess } from "./token-cache";
import { deletedReason, lockGrant, openOfflineToken } from "./vault";

/**
 * Takes somebody's machine access away, as part of a verb that has asked for its own permission. Unlike the owner's own taking back it
 * does not wait for Keycloak: here it ends in any case, and a token that was not revoked there lies nowhere any more.
 *
 * @returns whether there was one
 * @throws SluiceError `store_unavailable`
 */
export async function endGrantOf(ctx: Context, userId: string, reason: string): Promise<boolean> {
  const { row, ended } = await transaction(async (tx) => {
    await lockGrant(tx, userId);
    const row = await tx.ownerGrant.findUnique({ where: { userId } });
    if (!row?.sealed) return { row, ended: null };
    const { generation } = await tx.ownerGrant.update({ where: { userId }, data: { status: "needs_reauth", statusReason: deletedReason, sealed: "", generation: { increment: 1 }, idleDeadlineAt: null, absDeadlineAt: null } });
    await recordAudit(tx, ctx, { action: "grant.deleted", target: { type: "user", id: userId }, tenantId: row.tenantId, data: { reason } });
    return { row, ended: { generation, pending: await planInvalidation(tx, accessRecords(userId, generation)) } };
  });
  if (!row) return false;
  // Also of one that ended earlier, perhaps without a confirmation.
  await dropAccess(userId, ended?.generation ?? row.generation);
  if (!ended) return false;
  await confirmInvalidation(ended.pending);
  const [refreshToken, client] = [openOfflineToken(row), keycloakClientOf(row.clientId)];
  if (refreshToken && client) await revokeToken(client, refreshToken).catch((error: unknown) => logger.warn({ err: error, userId }, "Keycloak did not revoke the token of a grant that was taken away"));
  return true;
}
