import { afterEach, describe, expect, it } from "vitest";
import { addressFromDoor, clientAddress, clientAddressHeader, innerSecretHeader } from "./client-address";
import { env, setEnv } from "./env";

const base = env();
const trusting = (...proxies: string[]) => setEnv({ ...base, TRUSTED_PROXIES: proxies });
afterEach(() => setEnv(base));

describe("the client's address", () => {
  it("is the peer's, whatever X-Forwarded-For claims, when the peer is not trusted", () => {
    expect(clientAddress("203.0.113.9", "10.0.0.1")).toBe("203.0.113.9");
  });

  it("behind trusted proxies is the right-most entry that is not one of them, never the left-most", () => {
    trusting("10.0.0.0/8", "fd00::/8");
    expect(clientAddress("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2")).toBe("203.0.113.9");
    expect(clientAddress("fd00::1", "6.6.6.6, 2001:db8::5")).toBe("2001:db8::5");
  });

  it.each([["203.0.113.9:51234", "203.0.113.9"], ["[2001:db8::1]:443", "2001:db8::1"], ["[2001:db8::1]", "2001:db8::1"], ["2001:db8::1", "2001:db8::1"], ["[::ffff:203.0.113.9]:80", "203.0.113.9"]])("reads %s as proxies write it", (written, address) => {
    trusting("10.0.0.0/8");
    expect(clientAddress("10.0.0.1", written)).toBe(address);
    expect(clientAddress("10.0.0.1", `8.8.8.8, ${written}, 10.0.0.2:1234`)).toBe(address);
  });

  it("is never the proxy's where an entry cannot be read, so that no allowlist or limit of the proxy holds for the caller", () => {
    trusting("10.0.0.0/8");
    for (const entry of ["<script>", "_hidden", "unknown", "10.0.0.2:x", "[10.0.0.2", "203.0.113.9:51234:1"]) {
      expect(clientAddress("10.0.0.1", `8.8.8.8, ${entry}, 10.0.0.2`)).toBe("unknown");
    }
  });

  it("reads an IPv4 address that came mapped into IPv6 as what it is", () => {
    trusting("127.0.0.1");
    expect(clientAddress("::ffff:127.0.0.1", "203.0.113.9")).toBe("203.0.113.9");
    expect(clientAddress("::ffff:192.0.2.1", undefined)).toBe("192.0.2.1");
  });

  it("reaches the page process only with the door's secret", () => {
    setEnv({ ...base, SLUICE_INNER_SECRET: "s".repeat(32) });
    const told = (secret: string) => new Headers({ [clientAddressHeader]: "203.0.113.9", [innerSecretHeader]: secret });
    expect(addressFromDoor(told("s".repeat(32)))).toBe("203.0.113.9");
    expect(addressFromDoor(told("guess"))).toBeNull();
    setEnv({ ...base, SLUICE_INNER_SECRET: undefined });
    expect(addressFromDoor(told(""))).toBeNull();
  });
});
