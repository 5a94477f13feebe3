import { type Context } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import type { StaleRecord } from "@/lib/platform/records";
import { userRecordKey } from "./person-state";

export type KeycloakState = "enabled" | "disabled" | "deleted";

/** What becomes of somebody's right to act. What is left out stays. */
export type AccessChange = {
  /** Whether an administrator keeps them out here, whatever Keycloak says. */
  keptOut?: boolean;
  keycloakState?: KeycloakState;
};

const stateActions: Record<KeycloakState, string> = { enabled: "user.enabled", disabled: "user.disabled", deleted: "user.deleted" };

/**
 * Changes whether somebody may act: they may while nobody keeps them out here and Keycloak has them enabled. Two reasons are kept
 * apart, so that Keycloak's change of mind never lets in whom an administrator keeps out.
 *
 * @returns what must be dropped once the transaction is over, so that every key check sees it; also when nothing changed, since whoever
 *   changed it before may have had no confirmation.
 * @throws SluiceError `not_found`
 */
export async function changeAccess(tx: Tx, ctx: Context, userId: string, change: AccessChange): Promise<{ isActive: boolean; changed: boolean; stale: StaleRecord[] }> {
  // Not FOR UPDATE: a key that is being made refers to this row and may hold what the rest of our transaction waits for.
  await tx.$queryRaw`SELECT 1 FROM "User" WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;
  const known = await tx.user.findUnique({ where: { id: userId }, select: { tenantId: true, username: true, isActive: true, disabledAt: true, keptOutAt: true, keycloakState: true, version: true } });
  if (!known) throw notFound("No such person.");
  const at = nowDate();
  const keptOut = change.keptOut ?? known.keptOutAt !== null;
  const keycloakState = change.keycloakState ?? known.keycloakState;
  const isActive = !keptOut && keycloakState === "enabled";
  const outMoved = keptOut !== (known.keptOutAt !== null);
  const stateMoved = keycloakState !== known.keycloakState;
  if (!outMoved && !stateMoved && isActive === known.isActive) return { isActive, changed: false, stale: [{ key: userRecordKey(userId), version: known.version }] };

  await tx.user.update({
    where: { id: userId },
    data: { isActive, disabledAt: isActive ? null : (known.disabledAt ?? at), ...(outMoved && { keptOutAt: keptOut ? at : null }), ...(stateMoved && { keycloakState, keycloakStateAt: at }), version: { increment: 1 } },
  });
  const note = (action: string) => recordAudit(tx, ctx, { action, target: { type: "user", id: userId }, tenantId: known.tenantId, data: { username: known.username, isActive } });
  if (outMoved) await note(keptOut ? "user.kept_out" : "user.let_in");
  if (stateMoved) await note(stateActions[keycloakState]);
  return { isActive, changed: true, stale: [{ key: userRecordKey(userId), version: known.version + 1 }] };
}
