import { addressLimitName } from "@/lib/keys";
import { now } from "@/lib/platform/clock";
import { sha256Hex } from "@/lib/platform/crypto";
import { SluiceError } from "@/lib/platform/errors";

/**
 * Addresses that are past the limit of failed attempts, as this process has heard: until then neither a store is asked
 * nor a signature verified for strangers from there. Only a shortcut: the count itself is Redis's.
 */
const floods = new Map<string, number>();
const floodsMax = 10_000;
/** Tokens whose signature was good here before. Many people may share an address, and a neighbour's flood must not shut them out. */
const acquaintances = new Set<string>();
const acquaintancesMax = 5_000;

/** Asked before a token is verified, or a failure counted. @throws SluiceError `rate_limited` */
export function refuseFlood(ip: string | null, token?: string): void {
  if (floods.size === 0) return;
  const name = addressLimitName(ip);
  const waitMs = name ? (floods.get(name) ?? 0) - now() : 0;
  if (waitMs <= 0 || (token && acquaintances.has(sha256Hex(token)))) return;
  const seconds = Math.ceil(waitMs / 1000);
  throw new SluiceError("rate_limited", `Too many failed attempts from this address. Retry after ${seconds} seconds.`, { retryAfterSeconds: seconds });
}

/** @param retryAfterSeconds what Redis said: nothing that fails from this address would be let through earlier. */
export function rememberFlood(ip: string | null, retryAfterSeconds: number): void {
  const name = addressLimitName(ip);
  if (name) keep(floods, floodsMax, () => floods.set(name, now() + retryAfterSeconds * 1000));
}

/** This token's signature is good. Whether it still holds is asked at each call all the same. */
export function rememberToken(token: string): void {
  const hash = sha256Hex(token);
  if (!acquaintances.has(hash)) keep(acquaintances, acquaintancesMax, () => acquaintances.add(hash));
}

/** The oldest goes: strangers choose their addresses, and memory stays bounded. */
function keep(memory: Map<string, unknown> | Set<string>, max: number, add: () => void): void {
  add();
  if (memory.size > max) memory.delete(memory.keys().next().value as string);
}
