import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { RateLimit } from "@/lib/access";
import { unknownAddress } from "@/lib/platform/client-address";
import { sha256Hex } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { type Decision, isSluiceError, SluiceError } from "@/lib/platform/errors";
import { defineScript, runScript, type Script } from "@/lib/platform/records";
import { withRedis } from "@/lib/platform/redis";
import { limiterLua } from "./limiter.lua";
import { degradedLimits, processLimits, type Taken } from "./local-limit";

export const readTime = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;
/** For tests of the limiter alone: the time comes as ARGV[1]. */
export const givenTime = `local now = tonumber(ARGV[1])\n`;

/** KEYS: names of limits; ARGV: time (ignored but in tests), cost, then requests and seconds of each. */
export const takeScriptOf = (clock: string): Script => defineScript(`${limiterLua}${clock}
local limits = {}
for i, name in ipairs(KEYS) do limits[i] = { tostring(i), name, tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2]) } end
local ok, state = takeAll(limits, now, tonumber(ARGV[2]))
return { ok and 1 or 0, tonumber(state.label) - 1, state.remaining, state.reset, state.wait, state.at }`);

const takeScript = takeScriptOf(readTime);
const giveBackScript = defineScript(`${limiterLua}
giveBack(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return 1`);

export const TakeReply = z.tuple([z.int(), z.int(), z.int(), z.number(), z.number(), z.number()])
  .transform(([ok, index, remaining, resetMs, waitMs, at]) => ({ ok: ok === 1, index, remaining, resetMs, waitMs, at }));

const nameOf = (name: string) => `sl:l:${name}`;
export const wholeSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1000));

/**
 * Takes one from a limit that is not a key's: sign-in attempts by name, reports by address. `cost: 0` only looks.
 * @param name unique per thing limited; whatever a stranger chose must be hashed into it.
 * @throws SluiceError `store_unavailable`
 */
export async function takeLimit(name: string, limit: RateLimit, cost: 0 | 1 = 1): Promise<Taken> {
  const reply = TakeReply.parse(await withRedis((client) => runScript(client, takeScript, [nameOf(name)], [0, cost, limit.requests, limit.window])));
  return reply.ok ? { ok: true, remaining: reply.remaining, at: reply.at } : { ok: false, retryAfterSeconds: wholeSeconds(reply.waitMs) };
}

/** Undoes `takeLimit` for what turned out not to count, such as a right password. @throws SluiceError `store_unavailable` */
export async function giveBackLimit(name: string, limit: RateLimit, at: number): Promise<void> {
  await withRedis((client) => runScript(client, giveBackScript, [nameOf(name)], [limit.requests, limit.window, at]));
}

/** The limit's name for an address: IPv6 counts by /64, since that is what one customer has. Null for what is no address. */
export function addressLimitName(ip: string | null): string | null {
  // As the door writes IPv4, which is nearly always.
  if (ip && /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(ip)) return `a:${ip}`;
  if (ip === unknownAddress) return `a:${ip}`;
  if (!ip || !ipaddr.isValid(ip)) return null;
  const address = ipaddr.process(ip);
  if (address.kind() === "ipv4") return `a:${address.toString()}`;
  return `a:${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString()}/64`;
}

export function tooManyFailures(retryAfterSeconds: number, decision?: Decision): SluiceError {
  return new SluiceError("rate_limited", `Too many failed attempts from this address. Retry after ${retryAfterSeconds} seconds.`, { retryAfterSeconds, ...(decision && { decision }) });
}

/**
 * Whether this address may try at all, asked before work is done for somebody unknown (a sign-in, a token that must be
 * verified). `checkCall` asks and counts by itself. @throws SluiceError `rate_limited`
 */
export async function limitFailures(ip: string | null): Promise<void> {
  await failures(ip, 0);
}

/** Counts a failed authentication (or a call without any) that `checkCall` has not seen. @throws SluiceError `rate_limited` once there were too many. */
export async function countFailure(ip: string | null): Promise<void> {
  await failures(ip, 1);
}

async function failures(ip: string | null, cost: 0 | 1): Promise<void> {
  const name = addressLimitName(ip);
  if (!name) return;
  const limit = env().AUTH_FAILURE_LIMIT;
  let taken: Taken;
  try {
    taken = await takeLimit(name, limit, cost);
  } catch (error) {
    if (!isSluiceError(error, "store_unavailable")) throw error;
    taken = degradedLimits.take([{ label: "address", name, limit }], cost);
  }
  if (!taken.ok) throw tooManyFailures(taken.retryAfterSeconds);
}

/**
 * Counts a failure in this process alone: what does not look like a key reaches no store, so neither does its count. Calls with the cookie of
 * an ended session are counted apart from all else: the pages that somebody left open go on asking by themselves, and must not keep the programs
 * of their office from signing in.
 *
 * @returns the refusal once there were too many; else null
 */
export function countHere(ip: string | null, what: "looks" | "ended session"): SluiceError | null {
  const address = addressLimitName(ip);
  if (!address) return null;
  const taken = processLimits.take([{ label: "address", name: what === "looks" ? address : `ended:${address}`, limit: env().AUTH_FAILURE_LIMIT }]);
  return taken.ok ? null : tooManyFailures(taken.retryAfterSeconds);
}

/** A user name as part of a limit's name: of one length, and not readable in the store. */
export const hashedName = (value: string) => sha256Hex(value.trim().toLowerCase());
