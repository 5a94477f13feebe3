import type { Context } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { logger } from "@/lib/platform/logger";
import { recordSessionEnd } from "./audit";
import { forgetIndexed, listIndexed, markKeycloakSessionEnded, markPersonNotBefore, markSignInAgain, wasEndedBy } from "./marks";
import type { SessionMeta } from "./record";
import { killSession } from "./store";

/** Whose sessions: issuer and `sub` of a token, which is what Keycloak's messages name. */
export type Subject = { iss: string; sub: string };

/**
 * Ends every portal session that comes from one session at Keycloak, which is over for good: a record that is written
 * a moment later is as dead as those that are there. Needs no cookie; doing it again changes nothing.
 *
 * @param kcSid the `sid` of Keycloak's tokens.
 * @param reason a word for the audit event and for the cookie that meets the tombstone.
 * @returns how many sessions lived until now.
 * @throws SluiceError `store_unavailable`: say it again, some may still live.
 */
export async function endKeycloakSession(kcSid: string, reason: string): Promise<number> {
  if (!kcSid) return 0;
  // The mark first: a sign-in that is under way finds it when its record is read.
  await markKeycloakSessionEnded(kcSid);
  const ids = await listIndexed({ kcSid });
  const ended = await endAll(ids, reason);
  await forgetIndexed({ kcSid }, ids);
  return ended;
}

/**
 * Ends a person's portal sessions, on whatever device.
 *
 * @param options.notBefore seconds of Keycloak's clock: sign-ins up to and including this second are over, later ones live. Left
 *   out, all that are there now are over, and the mark is as of now.
 * @returns how many sessions lived until now.
 * @throws SluiceError `store_unavailable`: say it again, some may still live.
 */
export async function endSessionsOf(who: Subject, reason: string, options: { notBefore?: number; by?: Context } = {}): Promise<number> {
  const { notBefore, by } = options;
  await markPersonNotBefore(who, notBefore ?? Math.floor(now() / 1000));
  return endAll(await listIndexed(who), reason, { by, ...(notBefore !== undefined && { only: (meta) => wasEndedBy(notBefore, meta) }) });
}

/**
 * Ends one session by its id, with nothing of its cookie. Whose it is the caller has asked before.
 *
 * @param options.by who ends it, for the audit event; nobody of ours when Keycloak or a job does.
 * @param options.askAgain Keycloak's own session lives on, and would sign that browser in again without a word: the next sign-in
 *   from there has to prove itself anew.
 * @returns false when it was over already.
 * @throws SluiceError `store_unavailable`
 */
export async function endSessionById(id: string, reason: string, options: { by?: Context; askAgain?: SessionMeta } = {}): Promise<boolean> {
  if (options.askAgain) await markSignInAgain(options.askAgain);
  return (await endAll([id], reason, options)) === 1;
}

async function endAll(ids: string[], reason: string, options: { by?: Context; only?: (meta: SessionMeta) => boolean } = {}): Promise<number> {
  let ended = 0;
  for (const id of ids) {
    const meta = await killSession(id, reason, options.only);
    if (!meta) continue;
    ended += 1;
    await recordSessionEnd(id, meta, reason, options.by).catch((error: unknown) => logger.error({ err: error, sessionId: id }, "the end of a session was not recorded"));
  }
  return ended;
}
