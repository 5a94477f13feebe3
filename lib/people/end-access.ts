import type { Context } from "@/lib/access";
import { endGrantOf } from "@/lib/grants";
import { revokeKeysOf } from "@/lib/keys";
import { transaction } from "@/lib/platform/db";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { endSessionsOf } from "@/lib/sessions";
import { type AccessChange, changeAccess } from "@/lib/tenants";
import { confirmEnded, revokeTokensOf } from "@/lib/tokens";

/** Whose access it is: our id, and whom Keycloak means. */
export type Whose = { userId: string; tenantId: string; issuer: string; sub: string };

/** What is to end, and what becomes of the right to come back. */
export type Ending = { sessions: boolean; tokens: boolean; keys: boolean; grant: boolean; access?: AccessChange };
export type Ended = { sessions: number; tokens: number; keys: number; grant: number; isActive: boolean; changed: boolean };

/**
 * Ends what somebody may act by, on every replica before this returns. The rows come first, in one transaction with their audit
 * events; sessions and the grant follow. Doing it again ends what is left, so whoever meets an error says it again.
 *
 * @param reason a word for audit events, revoked keys and dead sessions.
 * @throws SluiceError `not_found`; `store_unavailable`: some of it may still live
 */
export async function endAccess(ctx: Context, whose: Whose, ending: Ending, reason: string): Promise<Ended> {
  const { userId, issuer: iss, sub } = whose;
  const done = await transaction(async (tx) => {
    const access = await changeAccess(tx, ctx, userId, ending.access ?? {});
    const tokens = ending.tokens ? await revokeTokensOf(tx, ctx, userId, reason) : { count: 0, pending: [] };
    const keys = ending.keys ? await revokeKeysOf(tx, ctx, userId, reason) : { count: 0, stale: [] };
    return { access, tokens, keys, pending: await planInvalidation(tx, [...access.stale, ...keys.stale]) };
  });
  await confirmInvalidation(done.pending);
  await confirmEnded(done.tokens);
  const sessions = ending.sessions ? await endSessionsOf({ iss, sub }, reason, { ...(ctx.actor.type !== "job" && { by: ctx }) }) : 0;
  const grant = ending.grant && (await endGrantOf(ctx, userId, reason)) ? 1 : 0;
  return { sessions, tokens: done.tokens.count, keys: done.keys.count, grant, isActive: done.access.isActive, changed: done.access.changed };
}
