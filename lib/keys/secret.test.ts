import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "@/lib/platform/crypto";
import { checksumOf, lookupHashes, newSecret, shapeOf, storedHashOf } from "./secret";

/** CRC-32 (IEEE 802.3, reflected) by its definition, bit by bit. */
function naiveChecksum(body: string): string {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(body, "ascii")) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let value = BigInt((crc ^ 0xffffffff) >>> 0);
  let digits = "";
  for (; value > 0n; value /= 62n) digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[Number(value % 62n)] + digits;
  return digits.padStart(6, "0");
}

describe("API key secrets", () => {
  it("have the contract's format, checksum and hash", () => {
    for (let i = 0; i < 200; i++) {
      const secret = newSecret();
      expect(secret.value).toMatch(/^slk_[0-9A-Za-z]{49}$/);
      expect(secret.value.slice(-6)).toBe(naiveChecksum(secret.value.slice(0, -6)));
      expect(secret).toMatchObject({ hash: sha256Hex(secret.value), start: secret.value.slice(0, 8), last4: secret.value.slice(-4) });
      expect(shapeOf(secret.value)).toBe("ours");
    }
  });

  it("the checksum is CRC-32 in base62, padded to six", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."abcXYZ019_"), maxLength: 60 }), (body) => { expect(checksumOf(body)).toBe(naiveChecksum(body)); }));
    expect(checksumOf("")).toBe("000000");
  });

  it("any one changed character is a wrong checksum or malformed, never a key", () => {
    const { value } = newSecret();
    fc.assert(fc.property(fc.integer({ min: 0, max: value.length - 1 }), fc.constantFrom(..."0Zq_-\u0000é"), (at, char) => {
      const changed = value.slice(0, at) + char + value.slice(at + 1);
      if (changed !== value) expect(shapeOf(changed)).not.toBe("ours");
    }));
  });

  it("every character of the alphabet occurs, none more often than chance allows", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 600; i++) for (const char of newSecret().value.slice(4, 47)) counts.set(char, (counts.get(char) ?? 0) + 1);
    expect(counts.size).toBe(62);
    for (const count of counts.values()) expect(Math.abs(count - (600 * 43) / 62)).toBeLessThan(140);
  });

  it("formats of earlier systems are known, their look-alikes are not", () => {
    const hex = "0123456789abcdef".repeat(4);
    expect(shapeOf(`kaa_${hex}`)).toBe("earlier");
    expect(shapeOf("flash_abcDEF123-_.x")).toBe("earlier");
    for (const secret of [`kaa_${hex.toUpperCase()}`, `kaa_${hex}0`, "flash_", "flash_with space", `flash_${"x".repeat(300)}`, "", "slk_"]) expect(shapeOf(secret), secret).toBe("malformed");
  });

  it("an earlier system's key is looked for by the hash of the whole, and by that of what follows its prefix; ours by the one", () => {
    const secret = "flash_abcDEF123-_.x";
    expect(lookupHashes(secret)).toEqual({ value: sha256Hex(secret), other: storedHashOf({ sha256: sha256Hex("abcDEF123-_.x").toUpperCase(), hashed: "afterPrefix", prefix: "flash_" }) });
    expect(storedHashOf({ sha256: sha256Hex(secret) })).toBe(lookupHashes(secret).value);
    expect(lookupHashes(newSecret().value)).not.toHaveProperty("other");
  });

  it("a whole key behind an earlier prefix is not that key, nor the other way round", () => {
    const ours = newSecret();
    expect(Object.values(lookupHashes(`flash_${ours.value}`))).not.toContain(ours.hash);
    const rest = storedHashOf({ sha256: sha256Hex("abcDEF123"), hashed: "afterPrefix", prefix: "flash_" });
    expect(Object.values(lookupHashes("kaa_abcDEF123"))).not.toContain(rest);
    expect(Object.values(lookupHashes("flash_flash_abcDEF123"))).not.toContain(rest);
  });
});
