import { now } from "@/lib/platform/clock";
import { type Decision, type ErrorCode, isSluiceError, type SluiceError } from "@/lib/platform/errors";
import { problems } from "@/lib/platform/problem";
import { defineScript, runScript } from "@/lib/platform/records";
import { redis, withRedis } from "@/lib/platform/redis";
import type { EndedCall } from "./call-record";
import { DecisionView } from "./schemas";

export const decisionTtlSeconds = 86_400;
/** Of one owner: whoever lets a key run into its limit a thousand times a second must not fill Redis. */
export const decisionsMax = 1000;

/** Characters of one text of a decision, and bytes of the JSON of what it saw or of what it accepts: a caller may have written them, and a thousand are kept. */
const textMax = 250;
const valueBytesMax = 3000;

export type Refusal = { userId: string; decision: DecisionView };

const ofOwner = (userId: string) => `sl:d:${userId}`;
const ownerOfRequest = "sl:d:r:";

/** The decision of a refused call, as its error tells it or else as its code does; none for calls that were not refused. */
export function decisionOf({ error, requestId, atMs, by }: EndedCall): Refusal[] {
  // A caller who left was not refused.
  if (!isSluiceError(error) || error.code === "client_closed") return [];
  const status = error.options.status ?? problems[error.code].status;
  if (status < 400 || status > 499) return [];
  const { check, seen, limit } = error.options.decision ?? told(error);
  return [{ userId: by.userId, decision: { requestId, at: new Date(atMs).toISOString(), code: error.code, check, seen: shortened(seen), limit: shortened(limit), ...(by.apiKeyId && { apiKeyId: by.apiKeyId }) } }];
}

/** Texts are cut, and a list ends where it has become too long. */
function shortened(value: Decision["seen"]): Decision["seen"] {
  if (typeof value === "string") return cut(value);
  if (!Array.isArray(value)) return value;
  let bytes = 0;
  const texts = value.map(cut);
  const end = texts.findIndex((text) => (bytes += Buffer.byteLength(JSON.stringify(text)) + 1) > valueBytesMax);
  return end === -1 ? texts : [...texts.slice(0, end), "…"];
}

/** Halves of characters, such as a cut makes, are what Redis cannot read. */
const cut = (text: string) => (text.length > textMax ? `${text.slice(0, textMax)}…` : text).toWellFormed();

const checks: Partial<Record<ErrorCode, string>> = {
  key_revoked: "revoked", key_expired: "expired", key_disabled: "disabled", key_rotated: "rotated", owner_disabled: "owner", owner_reauth_required: "grant", ip_not_allowed: "address",
  insufficient_permission: "permission", permission_escalation: "escalation", rate_limited: "rate_limit", out_of_credits: "credits", key_limit_reached: "key_limit",
  idempotency_conflict: "idempotency", not_found: "existence", validation_failed: "input", malformed_json: "input", body_too_large: "size", upstream_forbidden: "engine", upstream_action_required: "engine",
};

function told({ code, detail, options }: SluiceError): Decision {
  const check = checks[code] ?? code;
  if (code === "validation_failed") return { check, seen: options.errors?.map((one) => one.pointer).slice(0, 20) ?? null, limit: options.errors?.map((one) => one.detail).slice(0, 20) ?? detail };
  if (code === "rate_limited") return { check, seen: null, limit: Number(options.headers?.["X-RateLimit-Limit"]) || null };
  if (code === "insufficient_permission") return { check, seen: null, limit: typeof options.extra?.permission === "string" ? options.extra.permission : null };
  return { check, seen: null, limit: null };
}

/**
 * KEYS: an owner's decisions by request id, their order, how many there are of each kind (one code of one key, or of the person). ARGV: ms now, ms of
 * the oldest that counts, how many at most, owner, life in seconds, then request id and JSON in turn. Beyond the most, the oldest of the most frequent
 * kind goes: a job that runs into its limit all day evicts its own refusals and no others.
 */
const save = defineScript(`
local function kindOf(json)
  local decision = cjson.decode(json)
  return decision.code .. ':' .. (decision.apiKeyId or '')
end
local function orderOf(kind)
  return KEYS[2] .. ':' .. kind
end
local function count(kind)
  local left = redis.call('ZCARD', orderOf(kind))
  if left > 0 then redis.call('ZADD', KEYS[3], left, kind) else redis.call('ZREM', KEYS[3], kind) end
end
local function forget(id)
  local json = redis.call('HGET', KEYS[1], id)
  if json then
    local kind = kindOf(json)
    redis.call('ZREM', orderOf(kind), id)
    count(kind)
  end
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  if redis.call('GET', '${ownerOfRequest}' .. id) == ARGV[4] then redis.call('DEL', '${ownerOfRequest}' .. id) end
end
for i = 6, #ARGV, 2 do
  local id, json, at = ARGV[i], ARGV[i + 1], tonumber(ARGV[1]) + i / 10000
  local kind = kindOf(json)
  forget(id)
  redis.call('HSET', KEYS[1], id, json)
  redis.call('ZADD', KEYS[2], at, id)
  redis.call('ZADD', orderOf(kind), at, id)
  redis.call('EXPIRE', orderOf(kind), ARGV[5])
  redis.call('SET', '${ownerOfRequest}' .. id, ARGV[4], 'EX', ARGV[5])
  count(kind)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])) do forget(id) end
for _ = 1, redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3]) do
  local kind = redis.call('ZREVRANGE', KEYS[3], 0, 0)[1]
  forget(kind and redis.call('ZRANGE', orderOf(kind), 0, 0)[1] or redis.call('ZRANGE', KEYS[2], 0, 0)[1])
end
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[5]) end
return 1`);

/** More at once would hold Redis for longer than a few milliseconds. */
const perScript = 100;

export async function saveDecisions(refusals: Refusal[]): Promise<void> {
  const owners = new Map<string, Refusal[]>();
  for (const refusal of refusals) {
    const theirs = owners.get(refusal.userId);
    if (theirs) theirs.push(refusal);
    else owners.set(refusal.userId, [refusal]);
  }
  const oldest = now() - decisionTtlSeconds * 1000;
  for (const [userId, all] of owners) {
    const byId = ofOwner(userId);
    for (let from = 0; from < all.length; from += perScript) {
      const items = all.slice(from, from + perScript).flatMap(({ decision }) => [decision.requestId, JSON.stringify(decision)]);
      await runScript(redis(), save, [byId, `${byId}:t`, `${byId}:k`], [now(), oldest, decisionsMax, userId, decisionTtlSeconds, ...items]);
    }
  }
}

/** @returns null when there is none, or none any more. @throws SluiceError `store_unavailable` */
export async function findDecision(userId: string, requestId: string): Promise<DecisionView | null> {
  const json = await withRedis((client) => client.hget(ofOwner(userId), requestId));
  const decision = json === null ? null : DecisionView.parse(JSON.parse(json));
  return decision && Date.parse(decision.at) > now() - decisionTtlSeconds * 1000 ? decision : null;
}

/** Whose call last had this request id and was refused. @throws SluiceError `store_unavailable` */
export function findOwnerOfDecision(requestId: string): Promise<string | null> {
  return withRedis((client) => client.get(ownerOfRequest + requestId));
}
