import ipaddr from "ipaddr.js";
import { remember } from "@/lib/platform/remember";

/**
 * Addresses and CIDR ranges of a key's allow list. Pure.
 *
 * Packed form: `4` or `6`, then the address in hex (8 or 32 digits), for a range followed by `/` and its prefix length. Two
 * packed forms are compared digit by digit, which the key check's script does too. IPv4 in IPv6's clothes
 * (`::ffff:10.0.0.1`) is IPv4, everywhere.
 */
export type AddressRange = { packed: string; /** Canonical CIDR text. */ text: string };

/** Reads an address or a CIDR range; bits behind the prefix are cleared. Null for anything else: octal or short IPv4, zones, host names. */
export function parseRange(text: string): AddressRange | null {
  const [addressText = "", bitsText, ...more] = text.trim().split("/");
  if (more.length > 0 || (bitsText !== undefined && !/^\d{1,3}$/.test(bitsText))) return null;
  const address = parseAddress(addressText);
  if (!address) return null;
  const wasMapped = address.kind() === "ipv4" && addressText.includes(":");
  const size = address.kind() === "ipv4" ? 32 : 128;
  const bits = bitsText === undefined ? size : Number(bitsText) - (wasMapped ? 96 : 0);
  if (bits < 0 || bits > size) return null;
  const network = ipaddr.fromByteArray(address.toByteArray().map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8)))));
  return { packed: `${pack(network)}/${bits}`, text: `${network.toString()}/${bits}` };
}

/** An address in packed form; "" for what is none, which lies in no range. */
export function packAddress(ip: string | null): string {
  return ip === null ? "" : packed(ip);
}

const packed = remember((ip) => {
  const address = parseAddress(ip);
  return address ? pack(address) : "";
}, 1000);

/** Whether a packed address lies in a packed range. */
export function isInside(address: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  return address !== "" && address[0] === network[0] && sharesPrefix(address.slice(1), network.slice(1), Number(bits));
}

/** Whether everything in a range lies in another one. */
export function isRangeInside(inner: string, outer: string): boolean {
  return Number(inner.split("/")[1]) >= Number(outer.split("/")[1]) && isInside(inner.split("/")[0] ?? "", outer);
}

/** The canonical text of packed ranges, joined as records join them. */
export function rangeTexts(packed: string): string[] {
  return packed.split(",").filter(Boolean).map((range) => {
    const [network = "", bits] = range.split("/");
    const bytes = Array.from(Buffer.from(network.slice(1), "hex"));
    return `${ipaddr.fromByteArray(bytes).toString()}/${bits}`;
  });
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text) ? ipaddr.process(text) : null;
}

function pack(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return (address.kind() === "ipv4" ? "4" : "6") + address.toByteArray().map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sharesPrefix(a: string, b: string, bits: number): boolean {
  const whole = Math.floor(bits / 4);
  if (a.slice(0, whole) !== b.slice(0, whole)) return false;
  const shift = 4 - (bits % 4);
  return shift === 4 || Number.parseInt(a[whole] ?? "0", 16) >> shift === Number.parseInt(b[whole] ?? "0", 16) >> shift;
}
