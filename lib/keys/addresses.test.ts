import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { isInside, isRangeInside, packAddress, parseRange, rangeTexts } from "./addresses";

const inside = (ip: string, range: string) => isInside(packAddress(ip), parseRange(range)?.packed ?? "");

describe("address lists", () => {
  it("are compared as numbers: what only looks alike as text is outside, what looks different may be inside", () => {
    expect(inside("10.0.0.25", "10.0.0.2/32")).toBe(false);
    expect(inside("10.9.8.7", "10.0.0.0/8")).toBe(true);
    expect(inside("100.0.0.1", "10.0.0.0/8")).toBe(false);
    expect(inside("192.168.129.1", "192.168.128.0/17")).toBe(true);
    expect(inside("192.168.127.255", "192.168.128.0/17")).toBe(false);
    expect(inside("2001:db8:0:0:0:0:0:1", "2001:0db8::/33")).toBe(true);
    expect(inside("2001:db8:8000::1", "2001:db8::/33")).toBe(false);
    expect(inside("::1", "0:0:0:0:0:0:0:1")).toBe(true);
  });

  it("know IPv4 in IPv6's clothes, on either side, and never take IPv6's whole range for IPv4", () => {
    expect(inside("::ffff:10.1.2.3", "10.0.0.0/8")).toBe(true);
    expect(inside("10.1.2.3", "::ffff:10.0.0.0/104")).toBe(true);
    expect(inside("10.1.2.3", "::ffff:0a00:0/104")).toBe(true);
    expect(inside("10.1.2.3", "::/0")).toBe(false);
    expect(inside("::1", "0.0.0.0/0")).toBe(false);
  });

  it("are kept in one form, with the bits behind the prefix cleared", () => {
    expect(parseRange("10.1.2.3/8")?.text).toBe("10.0.0.0/8");
    expect(parseRange(" 127.0.0.1 ")?.text).toBe("127.0.0.1/32");
    expect(parseRange("2001:DB8:0::5/32")?.text).toBe("2001:db8::/32");
    expect(parseRange("::ffff:10.0.0.0/104")?.text).toBe("10.0.0.0/8");
    expect(rangeTexts(["10.0.0.0/8", "2001:db8::/32"].map((r) => parseRange(r)?.packed).join(","))).toEqual(["10.0.0.0/8", "2001:db8::/32"]);
  });

  it("refuse what is no address, or one that readers disagree on", () => {
    for (const wrong of ["", "10", "10.0.0", "10.0.0.256", "010.0.0.1", "0x7f.0.0.1", "127.1", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "::/129", "::ffff:1.2.3.4/95", "fe80::1%eth0", "localhost", "*", "10.0.0.*", "1.2.3.4-1.2.3.9"]) expect(parseRange(wrong), wrong).toBeNull();
    expect(packAddress("nonsense")).toBe("");
    expect(packAddress(null)).toBe("");
    expect(isInside("", parseRange("0.0.0.0/0")?.packed ?? "")).toBe(false);
  });

  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }));
  const v6 = fc.tuple(fc.ipV6().filter((ip) => !ip.includes(".") && !ip.startsWith("::ffff")), fc.integer({ min: 0, max: 128 }));

  it("agree with a library on every address and range of one family", () => {
    fc.assert(fc.property(fc.oneof(fc.tuple(v4, fc.ipV4()), fc.tuple(v6, fc.ipV6().filter((ip) => !ip.includes(".")))), ([[network, bits], ip]) => {
      const address = ipaddr.parse(ip);
      expect(inside(ip, `${network}/${bits}`)).toBe(address.match([ipaddr.parse(network), bits] as never));
    }), { numRuns: 500 });
  });

  it("one range lies in another exactly when its first and last address do", () => {
    const ends = (range: string) => {
      const [network = "", bits = "0"] = range.split("/");
      const bytes = ipaddr.parse(network).toByteArray();
      const last = bytes.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, Number(bits) - i * 8))));
      return [network, ipaddr.fromByteArray(last).toString()];
    };
    fc.assert(fc.property(v4, v4, fc.boolean(), ([a, abits], [b, bbits], nested) => {
      const outer = parseRange(`${b}/${bbits}`);
      const inner = parseRange(nested ? `${b}/${Math.max(abits, bbits)}` : `${a}/${abits}`);
      if (!inner || !outer) throw new Error("no range");
      expect(isRangeInside(inner.packed, outer.packed)).toBe(Number(inner.text.split("/")[1]) >= Number(outer.text.split("/")[1]) && ends(inner.text).every((ip) => inside(ip, outer.text)));
    }), { numRuns: 300 });
  });
});
