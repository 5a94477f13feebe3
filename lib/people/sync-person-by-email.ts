import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { db, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { findKeycloakUserByEmail, membershipReader } from "@/lib/platform/keycloak-admin";
import { findUserId } from "@/lib/tenants";
import { readPersonRow } from "./list-people";
import type { SyncByEmailAnswer } from "./schemas";
import { carryOverUser, requireReader } from "./sync-people";

/**
 * Copies one person of Keycloak's, named by verified email.
 *
 * @throws SluiceError `not_found` when nobody there has verified it; `conflict` when several have, or they are disabled there and were never
 *   here; `insufficient_permission`, `identity_unavailable`
 */
export async function syncPersonByEmail(ctx: Context, input: { email: string }): Promise<SyncByEmailAnswer> {
  requirePermission(ctx, "admin:users");
  requireReader();
  const user = await findKeycloakUserByEmail(input.email.toLowerCase());
  if (!user) throw notFound("Nobody in Keycloak has verified this email.");
  const outcome = await carryOverUser(ctx, user, membershipReader());
  const userId = await findUserId(env().KEYCLOAK_ISSUER, user.id);
  if (!userId) throw new SluiceError("conflict", `${user.username} is disabled in Keycloak.`);
  const { tenantId } = await db().user.findUniqueOrThrow({ where: { id: userId }, select: { tenantId: true } });
  await transaction((tx) => recordAudit(tx, ctx, { action: "user.synced", target: { type: "user", id: userId }, tenantId, data: { outcome: outcome ?? "unchanged" } }));
  const words = { created: "is new here", updated: "was changed", deactivated: "is disabled in Keycloak, and was deactivated" } as const;
  return { status: "success", message: `${user.username} ${outcome ? words[outcome] : "was up to date"}.`, user: await readPersonRow(userId) };
}
