import { now } from "@/lib/platform/clock";
import { type Decision, type ErrorCode, isSluiceError, type SluiceError } from "@/lib/platform/errors";
import { problems } from "@/lib/platform/problem";
import { defineScript, runScript } from "@/lib/platform/records";
import { redis, withRedis } from "@/lib/platform/redis";
import type { EndedCall } from "./call-record";
import { DecisionView } from "./schemas";

export const decisionTtlSeconds = 86_400;
/** Of one owner, the newest: whoever lets a key run into its limit a thousand times a second must not fill Redis. */
export const decisionsMax = 1000;

/** Characters of one text of a decision, and bytes of the JSON of what it saw or of what it accepts: a caller may have written them, and a thousand are kept. */
const textMax = 250;
const valueBytesMax = 3000;

export type Refusal = { userId: string; decision: DecisionView };

const ofOwner = (userId: string) => `sl:d:${userId}`;
const ownerOfRequest = "sl:d:r:";

/** The decision of a refused call, as its error tells it or else as its code does; none for calls that were not refused. */
export function decisionOf({ error, requestId, atMs, by }: EndedCall): Refusal[] {
  if (!isSluiceError(error)) return [];
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

const cut = (text: string) => (text.length > textMax ? `${text.slice(0, textMax)}…`.toWellFormed() : text);

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

/** KEYS: an owner's decisions by request id, their order. ARGV: ms now, ms of the oldest that counts, how many at most, owner, life in seconds, then request id and JSON in turn. */
const save = defineScript(`
local function forget(id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
  if redis.call('GET', '${ownerOfRequest}' .. id) == ARGV[4] then redis.call('DEL', '${ownerOfRequest}' .. id) end
end
for i = 6, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], tonumber(ARGV[1]) + i / 10000, ARGV[i])
  redis.call('SET', '${ownerOfRequest}' .. ARGV[i], ARGV[4], 'EX', ARGV[5])
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[2])) do forget(id) end
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[3])
if over > 0 then for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, over - 1)) do forget(id) end end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
return 1`);

/** More at once would hold Redis for longer than a few milliseconds. */
const perScript = 200;

export async function saveDecisions(refusals: Refusal[]): Promise<void> {
  const owners = new Map<string, Refusal[]>();
  for (const refusal of refusals) {
    const theirs = owners.get(refusal.userId);
    if (theirs) theirs.push(refusal);
    else owners.set(refusal.userId, [refusal]);
  }
  const oldest = now() - decisionTtlSeconds * 1000;
  for (const [userId, all] of owners) {
    const newest = all.slice(-decisionsMax);
    for (let from = 0; from < newest.length; from += perScript) {
      const items = newest.slice(from, from + perScript).flatMap(({ decision }) => [decision.requestId, JSON.stringify(decision)]);
      await runScript(redis(), save, [ofOwner(userId), `${ofOwner(userId)}:t`], [now(), oldest, decisionsMax, userId, decisionTtlSeconds, ...items]);
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
