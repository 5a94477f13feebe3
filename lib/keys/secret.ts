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
/** What a key of an earlier system may look like behind its prefix; `kaa_` is known more exactly. */
const earlierRest = /^[\x21-\x7e]{8,250}$/;

/** The prefix of an earlier system whose keys may have been imported by hash, if the secret looks like one of its keys. */
function earlierPrefix(secret: string): string | null {
  const prefix = env().API_KEY_EARLIER_PREFIXES.find((each) => secret.startsWith(each)) ?? null;
  if (prefix === "kaa_") return /^kaa_[0-9a-f]{64}$/.test(secret) ? prefix : null;
  return prefix !== null && earlierRest.test(secret.slice(prefix.length)) ? prefix : null;
}

/** Judges a presented string by its looks, with no I/O: only `ours` and `earlier` are worth a look into a store. */
export function shapeOf(secret: string): SecretShape {
  if (secret.length > 256) return "malformed";
  if (earlierPrefix(secret) !== null) return "earlier";
  const [, prefix, random, checksum] = shape.exec(secret) ?? [];
  if (!prefix || env().API_KEY_EARLIER_PREFIXES.includes(`${prefix}_`)) return "malformed";
  return checksumOf(`${prefix}_${random}`) === checksum ? "ours" : "wrong_checksum";
}

/**
 * What is stored of a key that an earlier system kept as SHA-256, in hex, of the whole string or of what follows its prefix. The
 * latter is hashed once more together with the prefix: so a string is worth one look under each of two names, and nothing
 * that is a whole key elsewhere passes for one behind a prefix.
 */
export function storedHashOf(known: { sha256: string; hashed?: "whole" | "afterPrefix" | undefined; prefix?: string | undefined }): string {
  const sha256 = known.sha256.toLowerCase();
  return known.hashed === "afterPrefix" ? sha256Hex(`${known.prefix ?? ""}:${sha256}`) : sha256;
}

/** Under which hashes a presented string may be stored. */
export function lookupHashes(secret: string): { value: string; other?: string } {
  const value = hashSecret(secret);
  const prefix = earlierPrefix(secret);
  if (prefix === null) return { value };
  return { value, other: storedHashOf({ sha256: sha256Hex(secret.slice(prefix.length)), hashed: "afterPrefix", prefix }) };
}

/** Whether a bearer value is meant as an API key, as opposed to a JWT. */
export function looksLikeSecret(value: string): boolean {
  return shapeOf(value) !== "malformed" || value.startsWith(`${env().API_KEY_PREFIX}_`);
}
