import { createCipheriv, createDecipheriv, createHash, hash, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

/** Hex SHA-256. Enough for secrets of 256 random bits: there is nothing to guess, so nothing to slow down. */
export function sha256Hex(value: string | Buffer): string {
  return hash("sha256", value, "hex");
}

export function sha256Base64url(value: string | Buffer): string {
  return hash("sha256", value, "base64url");
}

/** `bytes` random bytes as base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString("base64url");
}

/** Compares without telling by its time where the two differ. */
export function equalSecrets(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}

/** Keys that encrypt keys: the first encrypts, all decrypt, so they can rotate without a flag day. */
export type KeyRing = { kid: string; key: Buffer }[];

export class UnsealError extends Error {
  override name = "UnsealError";
}

function dataKey(kek: Buffer, salt: string, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", kek, Buffer.from(salt, "base64url"), info, 32));
}

/**
 * AES-256-GCM under a key derived (HKDF-SHA256) from the ring's first key, `salt` and `info`.
 * @param salt base64url; for sessions the cookie's share, so that the store alone decrypts nothing.
 * @param aad bound to the ciphertext: a blob moved to another record or generation does not open.
 * @returns `1.<kid>.<nonce>.<ciphertext>.<tag>`, parts in base64url.
 */
export function seal(ring: KeyRing, plain: string, bound: { salt: string; info: string; aad: string }): string {
  const first = ring[0];
  if (!first) throw new UnsealError("the key ring is empty");
  const key = dataKey(first.key, bound.salt, bound.info);
  for (;;) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    cipher.setAAD(Buffer.from(bound.aad));
    const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
    const blob = ["1", first.kid, nonce.toString("base64url"), sealed.toString("base64url"), cipher.getAuthTag().toString("base64url")].join(".");
    // A store is searched for tokens by how they start; a blob that starts like one somewhere by chance is drawn again.
    if (!blob.includes("eyJ")) return blob;
  }
}

/** @throws UnsealError when the key id is unknown, or the blob does not belong here. */
export function unseal(ring: KeyRing, blob: string, bound: { salt: string; info: string; aad: string }): string {
  const [version, kid, nonce, sealed, tag] = blob.split(".");
  const kek = ring.find((k) => k.kid === kid);
  if (version !== "1" || !kek || !nonce || sealed === undefined || !tag) throw new UnsealError("unknown format or key id");
  try {
    const decipher = createDecipheriv("aes-256-gcm", dataKey(kek.key, bound.salt, bound.info), Buffer.from(nonce, "base64url"), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(bound.aad));
    decipher.setAuthTag(Buffer.from(tag, "base64url"));
    return Buffer.concat([decipher.update(Buffer.from(sealed, "base64url")), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new UnsealError("does not open", { cause });
  }
}
