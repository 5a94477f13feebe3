import type { SessionHandle } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { defineScript, runScript } from "@/lib/platform/records";
import { withRedis } from "@/lib/platform/redis";
import { indexSession, isKilled, type KillFacts, killFactsOf, readKillMarks, sessionExpired, unindexSession } from "./marks";
import { type Audience, audiences, kidOf, SessionMeta } from "./record";

// Braces are Redis Cluster hash tags: all keys of one session live in one slot, so one script may touch them.
const metaKey = (id: string) => `sl:s:{${id}}:m`;
const tokensKey = (id: string) => `sl:s:{${id}}:t`;
const derivedKey = (id: string, audience: Audience) => `sl:s:{${id}}:t:${audience}`;
export const lockKey = (id: string) => `sl:s:{${id}}:l`;
export const channelOf = (id: string) => `sl:n:{${id}}`;

/** A dead session is remembered for a while, so that its cookie meets a reason and not just nothing. */
const tombstoneMs = 3_600_000;

/** What to read besides the readable half: nothing, the sealed half, or the token derived for an engine. */
type Want = "meta" | "tokens" | Audience;
/** `blob` is what was wanted, empty when there is none. */
export type OpenSession = { meta: SessionMeta; blob: string };

/**
 * Reads a session, and moves its last use on when that is due: at most once a minute, more often for a short idle
 * time-out so that activity never counts for less than a twentieth of it. Touching never writes tokens.
 */
const open = defineScript(`
local m = redis.call('HMGET', KEYS[1], 'state', 'abs_exp', 'last_seen', 'idle_s')
if not m[1] then return {} end
local now, want = tonumber(ARGV[1]), ARGV[2]
local there = redis.call('EXISTS', KEYS[2])
if ARGV[3] == '1' and m[1] == 'active' and there == 1 then
  local left, idle, seen = tonumber(m[2]) - now, tonumber(m[4]) * 1000, tonumber(m[3])
  if left > 0 and seen + idle > now and now - seen >= math.min(60000, idle / 20) then
    redis.call('HSET', KEYS[1], 'last_seen', ARGV[1])
    local ttl = math.ceil(math.min(left, idle))
    redis.call('PEXPIRE', KEYS[1], ttl)
    redis.call('PEXPIRE', KEYS[2], ttl)
  end
end
local blob = want == 'tokens' and redis.call('GET', KEYS[2]) or want == 'derived' and redis.call('GET', KEYS[3]) or ''
return {redis.call('HGETALL', KEYS[1]), there, blob}`);

/** Which marks may end a session never changes, so knowing them saves a round trip. What the marks say is read each time. */
const factsMax = 10_000;
const facts = new Map<string, KillFacts>();

function rememberFacts(id: string, meta: SessionMeta): KillFacts {
  const known = killFactsOf(meta);
  if (facts.size >= factsMax) facts.delete(facts.keys().next().value ?? "");
  facts.set(id, known);
  return known;
}

/** @throws SluiceError `session_expired`; `store_unavailable`, which never means signed out. */
export async function openSession({ sessionId: id }: SessionHandle, want: Want, options: { touch: boolean }): Promise<OpenSession> {
  const at = now();
  const derived = want === "nflow" || want === "flowise";
  const keys = [metaKey(id), tokensKey(id), derived ? derivedKey(id, want) : tokensKey(id)];
  const known = facts.get(id);
  const [answer, knownMarks] = await Promise.all([
    withRedis((client) => runScript(client, open, keys, [at, derived ? "derived" : want, options.touch ? "1" : "0"])),
    known ? readKillMarks(known) : null,
  ]);
  const [pairs, there, blob] = answer as [string[]?, number?, string?];
  if (!pairs || there !== 1) {
    facts.delete(id);
    throw sessionExpired("no record");
  }
  const meta = SessionMeta.parse(Object.fromEntries(Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i], pairs[2 * i + 1]])));
  if (meta.state === "dead") throw sessionExpired(meta.dead_reason);
  if (isTimedOut(meta, at)) throw sessionExpired("timed out");
  // Not marked dead: a replica that has not heard of a new key yet must not end what the others can open.
  if (meta.kid && !env().SESSION_KEKS.some((key) => key.kid === meta.kid)) throw sessionExpired("its key is gone");
  if (isKilled(knownMarks ?? (await readKillMarks(rememberFacts(id, meta))), meta)) throw sessionExpired("ended at Keycloak");
  return { meta, blob: blob ?? "" };
}

/** Idle or at its end, by our own rules or because Keycloak would not renew its tokens any more. */
export function isTimedOut(meta: SessionMeta, at: number): boolean {
  return meta.abs_exp <= at || meta.last_seen + meta.idle_s * 1000 <= at || (meta.kc_exp > 0 && meta.kc_exp <= at);
}

export async function writeSession({ sessionId: id }: SessionHandle, meta: SessionMeta, tokens: string): Promise<void> {
  const ttlMs = Math.min(meta.idle_s * 1000, meta.abs_exp - now());
  await withRedis(async (client) => {
    const written = await client.multi().hset(metaKey(id), { v: 1, ...meta }).pexpire(metaKey(id), ttlMs).set(tokensKey(id), tokens, "PX", ttlMs).exec();
    const failed = written?.find(([error]) => error)?.[0];
    if (!written || failed) throw failed ?? new Error("Connection is closed.");
  });
  await indexSession(id, meta);
}

const commit = defineScript(`
local m = redis.call('HMGET', KEYS[1], 'state', 'gen')
if m[1] ~= 'active' then return 'gone' end
if m[2] ~= ARGV[1] then return 'moved' end
local ttl = redis.call('PTTL', KEYS[1])
if ttl <= 0 then return 'gone' end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ttl)
redis.call('HSET', KEYS[1], 'gen', string.format('%d', tonumber(ARGV[1]) + 1), 'at_exp', ARGV[3], 'refreshed_at', ARGV[4], 'kid', ARGV[5], 'kc_exp', ARGV[6])
redis.call('HDEL', KEYS[1], 'inflight', 'backoff_until')
redis.call('DEL', KEYS[3], KEYS[4])
return 'ok'`);

const allKeys = (id: string) => [metaKey(id), tokensKey(id), ...audiences.map((a) => derivedKey(id, a))];

/**
 * Writes new tokens if the session still lives and nobody else wrote since `generation`; they then have the next one.
 * @param ends when the access token ends, and the refresh token where Keycloak says so.
 */
export async function commitTokens(id: string, generation: number, blob: string, ends: { atExp: number; rtExp: number | null }): Promise<"ok" | "moved" | "gone"> {
  return (await withRedis((client) => runScript(client, commit, allKeys(id), [generation, blob, ends.atExp, now(), kidOf(blob), ends.rtExp ?? 0]))) as "ok" | "moved" | "gone";
}

const storeDerivedScript = defineScript(`
local m = redis.call('HMGET', KEYS[1], 'state', 'gen')
if m[1] ~= 'active' or m[2] ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`);

/** Keeps a narrowed token unless the session ended or its tokens were renewed meanwhile. */
export async function storeDerived(id: string, audience: Audience, generation: number, blob: string, ttlMs: number): Promise<void> {
  await withRedis((client) => runScript(client, storeDerivedScript, [metaKey(id), derivedKey(id, audience)], [generation, blob, Math.max(1, Math.floor(ttlMs))]));
}

const inflight = defineScript(`
local m = redis.call('HMGET', KEYS[1], 'state', 'gen', 'inflight')
if m[1] ~= 'active' or m[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'inflight', ARGV[1])
return m[3] == ARGV[1] and 2 or 1`);

/**
 * Leaves word that the refresh token of `generation` is about to be spent.
 * @returns "moved" when there is nothing to do any more, "again" when somebody left the same word and never finished.
 */
export async function markInflight(id: string, generation: number): Promise<"first" | "again" | "moved"> {
  const answer = await withRedis((client) => runScript(client, inflight, [metaKey(id)], [generation]));
  return answer === 1 ? "first" : answer === 2 ? "again" : "moved";
}

const backOffScript = defineScript(`
if redis.call('HGET', KEYS[1], 'gen') ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('HDEL', KEYS[1], 'inflight') end
redis.call('HSET', KEYS[1], 'backoff_until', ARGV[2])
return 1`);

/**
 * Keycloak could not answer: all who wait for this session's tokens leave it alone until then.
 * @param options.keepsWord after a missed deadline the token may be spent, so the word about it stays.
 * @returns false when somebody renewed or ended the session meanwhile: then there is nothing to wait for.
 */
export async function backOff(id: string, generation: number, untilMs: number, options: { keepsWord: boolean }): Promise<boolean> {
  return (await withRedis((client) => runScript(client, backOffScript, [metaKey(id)], [generation, untilMs, options.keepsWord ? "1" : "0"]))) === 1;
}

const kill = defineScript(`
local m = redis.call('HMGET', KEYS[1], 'state', 'gen')
if m[1] ~= 'active' or m[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'dead', 'dead_reason', ARGV[2])
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('DEL', KEYS[3], KEYS[4])
return 1`);

/** Ends a session whose tokens are no good any more. @returns false when somebody renewed or ended it meanwhile. */
export async function markDead(id: string, generation: number, reason: string): Promise<boolean> {
  return (await withRedis((client) => runScript(client, kill, allKeys(id), [generation, reason, tombstoneMs]))) === 1;
}

/** Forgets a session. @returns false when there was none. */
export async function removeSession(id: string, meta: Pick<SessionMeta, "iss" | "sub" | "kc_sid">): Promise<boolean> {
  facts.delete(id);
  const removed = await withRedis((client) => client.del(...allKeys(id)));
  await unindexSession(id, meta);
  return removed > 0;
}

/** The readable half by the id alone: for listing and ending, which have no cookie. Null when there is none. */
export async function findMeta(id: string): Promise<SessionMeta | null> {
  const fields = await withRedis((client) => client.hgetall(metaKey(id)));
  return fields.state === undefined ? null : SessionMeta.parse(fields);
}

/** Ends a session whatever its tokens are by now. @returns what it was, or null when it was over or is not meant. */
export async function killSession(id: string, reason: string, isMeant?: (meta: SessionMeta) => boolean): Promise<SessionMeta | null> {
  for (;;) {
    const meta = await findMeta(id);
    if (!meta || meta.state === "dead" || (isMeant && !isMeant(meta))) return null;
    // Renewed in between: its generation is another, the session is the same.
    if (await markDead(id, meta.gen, reason)) return meta;
  }
}
