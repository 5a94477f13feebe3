import ipaddr from "ipaddr.js";
import { env } from "./env";
import { equalSecrets } from "./crypto";

/** The header by which the door tells the page process who called, and the one that proves it was the door. */
export const clientAddressHeader = "x-sluice-client-address";
export const innerSecretHeader = "x-sluice-inner";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];
let ranges: { source: string[]; parsed: Range[] } | undefined;

function trusted(address: string): boolean {
  const source = env().TRUSTED_PROXIES;
  if (ranges?.source !== source) ranges = { source, parsed: source.map((entry) => (entry.includes("/") ? ipaddr.parseCIDR(entry) : single(entry))) };
  const parsed = parse(address);
  return parsed !== null && ranges.parsed.some((range) => range[0].kind() === parsed.kind() && parsed.match(range as [ipaddr.IPv4, number]));
}

/** Whether `TRUSTED_PROXIES` names the other end of a connection. */
export const isTrustedPeer = (peer: string): boolean => trusted(parse(peer)?.toString() ?? peer);

function single(entry: string): Range {
  const address = ipaddr.process(entry);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  return ipaddr.isValid(address) ? ipaddr.process(address) : null;
}

/** An entry of `X-Forwarded-For` as proxies write it: with a port behind it, IPv6 in brackets. Null for what is no address. */
function hopOf(entry: string): string | null {
  const written = entry.trim();
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(written)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/.exec(written)?.[1] ?? written;
  return parse(bare)?.toString() ?? null;
}

/** Stands for a caller whose address no proxy wrote legibly. One for all of them, so that nobody gets out of a limit by writing something new. */
export const unknownAddress = "unknown";

/**
 * The caller's address: the peer's, or the right-most untrusted entry of `X-Forwarded-For` when the peer is one of
 * `TRUSTED_PROXIES`. Never the left-most, which anybody may write.
 *
 * @returns `unknown` where that entry cannot be read: it is in no IP allowlist, and shares no limit with the proxy.
 */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined): string | null {
  const own = peer ? parse(peer)?.toString() ?? null : null;
  if (!own || !forwardedFor || !trusted(own)) return own;
  const hops = forwardedFor.split(",");
  let outermost = own;
  for (const entry of hops.reverse()) {
    const hop = hopOf(entry);
    if (!hop) return unknownAddress;
    if (!trusted(hop)) return hop;
    outermost = hop;
  }
  return outermost;
}

/** The address that the door resolved, in the page process; null when the request did not come through the door. */
export function addressFromDoor(headers: { get(name: string): string | null }): string | null {
  const expected = env().SLUICE_INNER_SECRET;
  const given = headers.get(innerSecretHeader);
  if (!expected || !given || !equalSecrets(expected, given)) return null;
  return headers.get(clientAddressHeader);
}
