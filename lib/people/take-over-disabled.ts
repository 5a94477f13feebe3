import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { canReadKeycloak, getKeycloakUser } from "@/lib/platform/keycloak-admin";
import { observe, observedFields, observedOf } from "./observe";

/**
 * Takes over that Keycloak called somebody disabled when it refused to renew their tokens, so that nothing depends on the sweep. Where we may
 * read people Keycloak is asked, since they may be enabled again by now; elsewhere a token that was issued since says so.
 *
 * @param told.seenAt ms of Keycloak's clock
 * @throws SluiceError `insufficient_permission`, `identity_unavailable`, `store_unavailable`
 */
export async function takeOverDisabled(ctx: Context, told: { userId: string; seenAt: number }): Promise<void> {
  requirePermission(ctx, "admin:users");
  const row = await db().user.findUnique({ where: { id: told.userId }, select: { ...observedFields, saidAt: true } });
  if (!row || row.keycloakState !== "enabled") return;
  if (canReadKeycloak()) await observe(ctx, observedOf(row), await getKeycloakUser(row.sub));
  else if ((row.saidAt?.getTime() ?? 0) <= told.seenAt) await observe(ctx, observedOf(row), { enabled: false });
}
