import { defineScript, runScript } from "./records";
import { withRedis } from "./redis";

/**
 * Spares a service that fails: after some failures in a row, or when it asks for a pause, callers are turned away at
 * once, and one of them per pause may try again. The state is shared by all replicas through Redis, whose clock counts.
 */
const failuresBeforeOpen = 3;
const stateTtlMs = 60_000;
const probeEveryMs = 2000;
const pauseMsMax = 5000;
/** However long somebody asks us to wait, we look again after this. */
const askedPauseMsMax = 60_000;

const nowMs = "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000)";

/** @returns milliseconds to wait, 0 when the call may go. An open breaker whose pause is over lets one caller through. */
const enter = defineScript(`${nowMs}
local until_ms = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
if until_ms == 0 then return 0 end
if until_ms > now then return until_ms - now end
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0`);

const fail = defineScript(`${nowMs}
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local asked = tonumber(ARGV[1])
local pause = 0
if asked > 0 then
  pause = asked
  redis.call('HSET', KEYS[1], 'asked', math.max(tonumber(redis.call('HGET', KEYS[1], 'asked') or '0'), now + asked))
elseif failures >= tonumber(ARGV[2]) then pause = math.min(tonumber(ARGV[3]), tonumber(ARGV[4]) + 1000 * (failures - tonumber(ARGV[2]))) end
if pause > 0 then
  local until_ms = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
  redis.call('HSET', KEYS[1], 'until', math.max(until_ms, now + pause))
end
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[5]), pause))
return pause`);

/** What was under way when the service asked for a pause may still succeed; that does not shorten the pause. */
const succeed = defineScript(`${nowMs}
if tonumber(redis.call('HGET', KEYS[1], 'asked') or '0') > now then return redis.call('HDEL', KEYS[1], 'failures') end
return redis.call('DEL', KEYS[1])`);

/** @returns milliseconds until a call may be tried, 0 when it may go now. @throws SluiceError `store_unavailable` */
export async function enterBreaker(key: string): Promise<number> {
  return Number(await withRedis((client) => runScript(client, enter, [key], [probeEveryMs, stateTtlMs])));
}

/** @param askedPauseMs the pause that the service itself asked for (`Retry-After`), 0 when it just failed. */
export async function recordFailure(key: string, askedPauseMs = 0): Promise<void> {
  const asked = Math.min(askedPauseMs, askedPauseMsMax);
  await withRedis((client) => runScript(client, fail, [key], [asked, failuresBeforeOpen, pauseMsMax, probeEveryMs, stateTtlMs]));
}

const look = defineScript(`${nowMs}
return tonumber(redis.call('HGET', KEYS[1], 'until') or '0') > now and 1 or 0`);

/** Whether callers are turned away now; changes nothing. @throws SluiceError `store_unavailable` */
export async function isOpen(key: string): Promise<boolean> {
  return (await withRedis((client) => runScript(client, look, [key], []))) === 1;
}

export async function recordSuccess(key: string): Promise<void> {
  await withRedis((client) => runScript(client, succeed, [key], []));
}
