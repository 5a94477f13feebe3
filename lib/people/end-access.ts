import type { Context } from "@/lib/access";
import { endGrantOf } from "@/lib/grants";
import { revokeKeysMadeBy, revokeKeysOf } from "@/lib/keys";
import { transaction } from "@/lib/platform/db";
import { isSluiceError } from "@/lib/platform/errors";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { endSessionsOf } from "@/lib/sessions";
import { type AccessChange, changeAccess } from "@/lib/tenants";
import { confirmEnded, revokeTokensOf } from "@/lib/tokens";

/** Whose access it is: our id, and whom Keycloak means. */
export type Whose = { userId: string; tenantId: string; issuer: string; sub: string };

/** What is to end, and what becomes of the right to come back. */
export type Ending = { sessions: boolean; tokens: boolean; keys: boolean; /** Those that the person made for others. */ keysForOthers?: boolean; grant: boolean; access?: AccessChange };
export type Ended = { sessions: number; tokens: number; keys: number; keysForOthers: number; grant: number; isActive: boolean; changed: boolean };

/**
 * Ends what somebody may act by, on every replica before this returns. Sessions come first, so that what is being made with them at this
 * moment is refused behind the lock that the end of keys and grant takes too; the rows follow in one transaction with their audit events.
 * A store that is away does not keep the rows from ending. Doing it again ends what is left, so whoever meets an error says it again.
 *
 * @param reason a word for audit events, revoked keys and dead sessions.
 * @throws SluiceError `not_found`; `store_unavailable`: some of it may still live
 */
export async function endAccess(ctx: Context, whose: Whose, ending: Ending, reason: string): Promise<Ended> {
  const { userId, issuer: iss, sub } = whose;
  const endSessions = async () => (ending.sessions ? endSessionsOf({ iss, sub }, reason, { ...(ctx.actor.type !== "job" && { by: ctx }) }) : 0);
  const first = await endSessions().catch((error: unknown) => {
    if (isSluiceError(error, "store_unavailable")) return error;
    throw error;
  });
  const done = await transaction(async (tx) => {
    const access = await changeAccess(tx, ctx, userId, ending.access ?? {});
    const tokens = ending.tokens ? await revokeTokensOf(tx, ctx, userId, reason) : { count: 0, pending: [] };
    const keys = ending.keys ? await revokeKeysOf(tx, ctx, userId, reason) : { count: 0, stale: [] };
    return { access, tokens, keys, pending: await planInvalidation(tx, [...access.stale, ...keys.stale]) };
  });
  await confirmInvalidation(done.pending);
  await confirmEnded(done.tokens);
  if (typeof first !== "number") throw first;
  // Whoever signed in while the rows were being written is kept out like the others.
  const sessions = first + (await endSessions());
  // A transaction of its own, after what the person makes keys by has ended: it holds keys of many owners.
  const others = ending.keysForOthers ? await endKeysForOthers(ctx, userId, reason) : 0;
  const grant = ending.grant && (await endGrantOf(ctx, userId, reason)) ? 1 : 0;
  return { sessions, tokens: done.tokens.count, keys: done.keys.count, keysForOthers: others, grant, isActive: done.access.isActive, changed: done.access.changed };
}

async function endKeysForOthers(ctx: Context, userId: string, reason: string): Promise<number> {
  const { count, pending } = await transaction(async (tx) => {
    const { count, stale } = await revokeKeysMadeBy(tx, ctx, userId, reason);
    return { count, pending: await planInvalidation(tx, stale) };
  });
  await confirmInvalidation(pending);
  return count;
}
