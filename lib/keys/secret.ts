import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { sha256Hex } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62^43 > 2^256. */
const randomLength = 43;
const checksumLength = 6;

/** What is made once: the value goes to its owner, the rest stays with us. */
export type NewSecret = { value: string; hash: string; start: string; last4: string };

/**
 * A new API key: prefix, `_`, 43 random base62 characters (256 bits), 6 base62 characters of CRC-32. The checksum lets
 * scanners and us tell a typing error or a look-alike from a key without asking any store.
 */
export function newSecret(prefix = env().API_KEY_PREFIX): NewSecret {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join("");
  const body = `${prefix}_${random}`;
  const value = body + checksumOf(body);
  return { value, hash: hashSecret(value), start: `${prefix}_${random.slice(0, 4)}`, last4: value.slice(-4) };
}

/** CRC-32 (IEEE) of the ASCII bytes in base62, most significant digit first, padded with `0` to 6. */
export function checksumOf(body: string): string {
  let rest = crc32(body);
  let digits = "";
  for (let i = 0; i < checksumLength; i++) {
    digits = (alphabet[rest % 62] ?? "") + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** What is stored and looked up: hex SHA-256 of the whole presented string. */
export function hashSecret(secret: string): string {
  return sha256Hex(secret);
}

export type SecretShape = "ours" | "earlier" | "wrong_checksum" | "malformed";

const shape = /^([a-z][a-z0-9]{1,11})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
/** Formats of earlier systems, whose keys may have been imported by hash. */
const earlier = /^(kaa_[0-9a-f]{64}|flash_[\x21-\x7e]{8,250})$/;

/** Judges a presented string by its looks, with no I/O: only `ours` and `earlier` are worth a look into a store. */
export function shapeOf(secret: string): SecretShape {
  const parts = secret.length <= 256 ? shape.exec(secret) : null;
  const [, prefix, random, checksum] = parts ?? [];
  if (prefix && prefix !== "kaa" && prefix !== "flash") return checksumOf(`${prefix}_${random}`) === checksum ? "ours" : "wrong_checksum";
  return secret.length <= 256 && earlier.test(secret) ? "earlier" : "malformed";
}

/** Whether a bearer value is meant as an API key, as opposed to a JWT. */
export function looksLikeSecret(value: string): boolean {
  return shapeOf(value) !== "malformed" || value.startsWith(`${env().API_KEY_PREFIX}_`);
}
