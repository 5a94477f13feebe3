import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, notFound, SluiceError } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { canReadKeycloak, signOutKeycloakUser } from "@/lib/platform/keycloak-admin";
import { logger } from "@/lib/platform/logger";
import { endAccess, type Ended, type Whose } from "./end-access";
import type { RevokePersonAnswer, RevokePersonInput } from "./schemas";

/**
 * Cuts somebody off: ends their sessions, their programs' tokens, their keys, the keys that they made for others and their machine access, or those of them that are named,
 * everywhere before this returns. Unless `disable` keeps them out, they may sign in again. Keycloak's own sessions end too where our
 * account may do that, which takes the grant along there: hence only when both are to end.
 *
 * @throws SluiceError `not_found`; `conflict` when they would keep themselves out; `store_unavailable`: say it again
 */
export async function revokePerson(ctx: Context, userId: string, input: RevokePersonInput): Promise<RevokePersonAnswer> {
  requirePermission(ctx, "admin:users");
  const person = await findWhose(userId);
  if (input.disable) refuseSelf(ctx, person.userId);
  const { disable, keys_for_others: keysForOthers = input.keys, ...parts } = input;
  const ended = await endAccess(ctx, person, { ...parts, keysForOthers, ...(disable && { access: { keptOut: true } }) }, "cut_off");
  const keycloak = input.sessions && input.grant ? await signOutThere(person.sub) : "not_asked";
  return {
    user_id: person.userId, username: person.username, sessions: ended.sessions, tokens: ended.tokens, keys: ended.keys, keys_for_others: ended.keysForOthers, grant: ended.grant,
    disabled: person.isKeptOut || disable, keycloak_sessions: keycloak, is_active: ended.isActive, message: wordsFor(ended, person.isKeptOut || disable),
  };
}

/** Whose access it is, and whether somebody keeps them out already. @throws SluiceError `not_found` */
export async function findWhose(userId: string): Promise<Whose & { username: string; isKeptOut: boolean }> {
  const row = isUuid(userId) ? await db().user.findFirst({ where: { id: userId, issuer: env().KEYCLOAK_ISSUER }, select: { id: true, tenantId: true, issuer: true, sub: true, username: true, keptOutAt: true } }) : null;
  if (!row) throw notFound("No such person.");
  const { id, keptOutAt, ...rest } = row;
  return { userId: id, ...rest, isKeptOut: keptOutAt !== null };
}

/** An administrator who keeps themselves out might be the last one. @throws SluiceError `conflict` */
export function refuseSelf(ctx: Context, userId: string): void {
  const { actor } = ctx;
  if ((actor.type === "user" || actor.type === "apiKey") && actor.person.userId === userId) throw new SluiceError("conflict", "You cannot keep yourself out. Another administrator can.");
}

/** Everything here has ended by now, so what Keycloak does is only told. */
async function signOutThere(sub: string): Promise<RevokePersonAnswer["keycloak_sessions"]> {
  if (!canReadKeycloak()) return "not_configured";
  try {
    return await signOutKeycloakUser(sub);
  } catch (error) {
    if (!isSluiceError(error, "identity_unavailable")) throw error;
    logger.warn({ err: error }, "Keycloak's own sessions of somebody who was cut off were not ended");
    return "unavailable";
  }
}

const counted = (count: number, one: string, many = `${one}s`) => (count === 0 ? [] : [`${count} ${count === 1 ? one : many}`]);

function wordsFor(ended: Ended, isKeptOut: boolean): string {
  const parts = [...counted(ended.sessions, "session"), ...counted(ended.tokens, "program’s sign-in", "programs’ sign-ins"), ...counted(ended.keys, "key"), ...counted(ended.keysForOthers, "key made for others", "keys made for others"), ...counted(ended.grant, "machine access", "machine access")];
  const what = parts.length === 0 ? "There was nothing left to end." : `Ended: ${parts.join(", ")}.`;
  if (isKeptOut) return `${what} They stay out until an administrator lets them in again.`;
  return ended.isActive ? `${what} They are not kept out, and may sign in again.` : what;
}
