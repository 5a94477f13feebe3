import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";

/** Whether a host name means this machine. */
export function isHere(hostname: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]", "::1", ""].includes(hostname);
}

/** Whether every address of a host belongs to this machine or a private network. @throws when the name has no address. */
export async function isPrivate(hostname: string): Promise<boolean> {
  const addresses = await lookup(hostname.replace(/^\[|\]$/g, ""), { all: true });
  return addresses.every(({ address }) => ["loopback", "private", "uniqueLocal", "linkLocal", "carrierGradeNat"].includes(ipaddr.process(address).range()));
}
