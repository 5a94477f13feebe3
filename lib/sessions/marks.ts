import { now } from "@/lib/platform/clock";
import { sha256Base64url } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { defineScript, runScript } from "@/lib/platform/records";
import { withRedis } from "@/lib/platform/redis";
import type { SessionMeta } from "./record";

// What ends sessions from outside, and which sessions there are: one key for each Keycloak session and each person. They live in
// other slots of a cluster than the sessions, so no script may touch both.
const sidIndexKey = (kcSid: string) => `sl:ix:sid:${kcSid}`;
const subIndexKey = (subHash: string) => `sl:ix:sub:${subHash}`;
const sidKillKey = (kcSid: string) => `sl:kill:sid:${kcSid}`;
const subKillKey = (subHash: string) => `sl:kill:sub:${subHash}`;
const subHashOf = (iss: string, sub: string) => sha256Base64url(`${iss}\n${sub}`);

/** A session that is gone, dead or killed, in one answer for all of them. */
export function sessionExpired(cause?: string): SluiceError {
  return new SluiceError("session_expired", "Your session has ended. Sign in again.", { cause });
}

type Named = Pick<SessionMeta, "iss" | "sub" | "kc_sid">;
type SignedInAt = Pick<SessionMeta, "auth_time" | "login_iat">;
/** Names the marks that may end a session. */
export type KillFacts = { kcSid: string; subHash: string };
type KillMarks = { sid: string | null; subNotBefore: string | null };

export function killFactsOf(who: Named): KillFacts {
  return { kcSid: who.kc_sid, subHash: subHashOf(who.iss, who.sub) };
}

export function readKillMarks({ kcSid, subHash }: KillFacts): Promise<KillMarks> {
  return withRedis(async (client) => {
    const [sid, subNotBefore] = await Promise.all([kcSid ? client.get(sidKillKey(kcSid)) : null, client.get(subKillKey(subHash))]);
    return { sid, subNotBefore };
  });
}

/** Equal seconds count as dead: a sign-in in the second of a sign-out must not outlive it. Keycloak's clock on both sides. */
export function wasEndedBy(notBefore: number, times: SignedInAt): boolean {
  return notBefore >= Math.min(times.auth_time || times.login_iat, times.login_iat);
}

/** A Keycloak session that is over; any other mark of one is the second up to which its sign-ins do not count. */
const endedForGood = "1";

export function isKilled({ sid, subNotBefore }: KillMarks, times: SignedInAt): boolean {
  return (sid !== null && (sid === endedForGood || wasEndedBy(Number(sid), times))) || (subNotBefore !== null && wasEndedBy(Number(subNotBefore), times));
}

/** @throws SluiceError `session_expired` when this Keycloak session or person was ended after this sign-in. */
export async function refuseKilled(who: Named & SignedInAt): Promise<void> {
  if (isKilled(await readKillMarks(killFactsOf(who)), who)) throw sessionExpired("ended at Keycloak");
}

/** A mark outlives every session that it may end. */
const markSeconds = () => env().SESSION_ABSOLUTE_SECONDS;

export async function markKeycloakSessionEnded(kcSid: string): Promise<void> {
  await withRedis((client) => client.set(sidKillKey(kcSid), endedForGood, "EX", markSeconds()));
}

const raise = defineScript(`
local old = redis.call('GET', KEYS[1])
if old == '1' then return 0 end
redis.call('SET', KEYS[1], string.format('%d', math.max(tonumber(old or 0), tonumber(ARGV[1]))), 'EX', ARGV[2])
return 1`);

/** Marks only ever move on: a message that comes late must not bring back what a later one ended. */
export async function markPersonNotBefore(who: { iss: string; sub: string }, notBefore: number): Promise<void> {
  await withRedis((client) => runScript(client, raise, [subKillKey(subHashOf(who.iss, who.sub))], [Math.floor(notBefore), markSeconds()]));
}

/** Seconds on Keycloak's clock, reckoned from what it said when this session began. */
export function keycloakNow(meta: Pick<SessionMeta, "login_iat" | "created">): number {
  return meta.login_iat + Math.floor((now() - meta.created) / 1000);
}

/** Sign-ins of this Keycloak session up to now do not count any more. */
export async function markSignInAgain(meta: Pick<SessionMeta, "kc_sid" | "login_iat" | "created">): Promise<void> {
  if (!meta.kc_sid) return;
  await withRedis((client) => runScript(client, raise, [sidKillKey(meta.kc_sid)], [keycloakNow(meta), markSeconds()]));
}

/** Indexes are advisory, for listing and ending; validity is decided by the record and the marks. */
export async function indexSession(id: string, meta: SessionMeta): Promise<void> {
  const lastsS = Math.ceil((meta.abs_exp - now()) / 1000);
  const bySub = subIndexKey(subHashOf(meta.iss, meta.sub));
  const bySid = sidIndexKey(meta.kc_sid);
  await withRedis(async (client) => {
    await client.multi().zremrangebyscore(bySub, "-inf", now()).zadd(bySub, meta.abs_exp, id).expire(bySub, lastsS, "NX").expire(bySub, lastsS, "GT").exec();
    if (meta.kc_sid) await client.multi().sadd(bySid, id).expire(bySid, lastsS, "NX").expire(bySid, lastsS, "GT").exec();
  });
}

export async function unindexSession(id: string, meta: Named): Promise<void> {
  await forgetIndexed(meta, [id]);
  if (meta.kc_sid) await forgetIndexed({ kcSid: meta.kc_sid }, [id]);
}

type Index = { kcSid: string } | { iss: string; sub: string };

/** Sessions that an index names; some of them may be over. */
export function listIndexed(index: Index): Promise<string[]> {
  return withRedis((client) => ("kcSid" in index ? client.smembers(sidIndexKey(index.kcSid)) : client.zrange(subIndexKey(subHashOf(index.iss, index.sub)), "0", "-1")));
}

export async function forgetIndexed(index: Index, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await withRedis((client) => ("kcSid" in index ? client.srem(sidIndexKey(index.kcSid), ids) : client.zrem(subIndexKey(subHashOf(index.iss, index.sub)), ids)));
}

