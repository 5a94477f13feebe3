import type { Context } from "@/lib/access";
import { endSignedOutGrant } from "@/lib/grants";
import { transaction } from "@/lib/platform/db";
import type { KeycloakUser } from "@/lib/platform/keycloak-admin";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { endSessionsOf } from "@/lib/sessions";
import { changeAccess, type KeycloakState } from "@/lib/tenants";
import { endAccess, type Whose } from "./end-access";

/** Somebody's row, as far as Keycloak's word about them bears on it. */
export type Observed = Whose & { keycloakState: KeycloakState; signedOutBefore: number };
export const observedFields = { id: true, tenantId: true, issuer: true, sub: true, keycloakState: true, signedOutBefore: true } as const;
export const observedOf = ({ id, ...rest }: Omit<Observed, "userId"> & { id: string }): Observed => ({ userId: id, ...rest });

export type Observation = "deactivated" | "reactivated" | null;

/**
 * Takes over what Keycloak was just seen to say of somebody: disabled or gone (null) ends sessions and tokens here and has keys
 * refused; enabled again lets them act again, unless an administrator keeps them out; an administrator's sign-out there ends the
 * sessions and machine access from before it. What is known already costs nothing.
 *
 * @param user as the admin API shows them by id or in a full list; a brief entry tells of no sign-out.
 * @throws SluiceError `store_unavailable`
 */
export async function observe(ctx: Context, known: Observed, user: Pick<KeycloakUser, "enabled" | "notBefore"> | null): Promise<Observation> {
  const keycloakState = !user ? "deleted" : user.enabled ? "enabled" : "disabled";
  const notBefore = user?.notBefore ?? 0;
  if (notBefore > known.signedOutBefore) await signOut(known, notBefore);
  if (keycloakState === known.keycloakState) return null;
  if (keycloakState !== "enabled") {
    const reason = `${keycloakState}_at_keycloak`;
    // Before the state is stored, which says that nothing is left to do: what is cut short here is done again.
    await endSessionsOf({ iss: known.issuer, sub: known.sub }, reason);
    await endAccess(ctx, known, { sessions: true, tokens: true, keys: false, grant: false, access: { keycloakState } }, reason);
    return known.keycloakState === "enabled" ? "deactivated" : null;
  }
  const pending = await transaction(async (tx) => {
    const { stale } = await changeAccess(tx, ctx, known.userId, { keycloakState });
    return planInvalidation(tx, stale);
  });
  await confirmInvalidation(pending);
  return "reactivated";
}

/** Noted only once it is done, so that what was cut short is done again. */
async function signOut({ userId, issuer, sub }: Observed, notBefore: number): Promise<void> {
  await endSessionsOf({ iss: issuer, sub }, "signed_out_at_keycloak", { notBefore });
  await endSignedOutGrant(userId, notBefore, { note: true });
}
