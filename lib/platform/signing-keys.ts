import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { errors, exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import { advisoryLocks } from "./advisory-locks";
import { now, nowDate } from "./clock";
import { randomToken, seal, UnsealError, unseal } from "./crypto";
import { isDatabaseDown, pool, transaction, type Tx } from "./db";
import { env } from "./env";
import { SluiceError, storeUnavailable } from "./errors";
import { sealingRing } from "./key-rings";
import { logger } from "./logger";

/**
 * The product's own signing keys. They live in PostgreSQL, private parts encrypted, so that every replica signs with
 * the same key and a restart invalidates nothing. The algorithm is fixed: a token's header chooses the key, never how.
 */
const algorithm = "ES256";
const info = "sluice/signing-key/1";
/** Two replicas that start on an empty database make one key, not two; the number is ours alone. */
const creationLock = advisoryLocks.signingKeys;
/** A stranger's token may name any key id, so unknown ones read the table at most this often. */
const rereadPauseMs = 2000;
/** Whoever signs or verifies looks this often whether there is a new key; a failing look is not repeated at once. */
const rereadEveryMs = 60_000;
const retryPauseMs = 10_000;
/** How long a new key is published before it signs: twice as long as the key set may be cached, and ten looks of each replica. */
export const publishSeconds = 600;
/** The longest life that `TOKEN_ACCESS_TTL_SECONDS` allows, whatever it is now: nothing that we sign lives longer. */
const tokenLifeMsMax = 86_400_000 + 60_000;

const PublicJwk = z.object({ kty: z.literal("EC"), crv: z.literal("P-256"), x: z.string(), y: z.string() });
type PublicJwk = z.infer<typeof PublicJwk>;
type ImportedKey = Awaited<ReturnType<typeof importJWK>>;
type SigningKey = { kid: string; state: string; signsFrom: number; publicJwk: PublicJwk; publicKey: ImportedKey; /** Null for retired keys, and when the ring that sealed it is gone. */ privateKey: KeyObject | null };
type KeyRow = { kid: string; publicJwk: unknown; sealed: string; state: string; signsFrom: Date };

const shared = globalThis as typeof globalThis & { sluiceSigningKeys?: { keys: SigningKey[]; readAt: number; triedAt: number; reading: Promise<void> | null } };

function held() {
  shared.sluiceSigningKeys ??= { keys: [], readAt: 0, triedAt: 0, reading: null };
  return shared.sluiceSigningKeys;
}

/** One read for all who wait. @throws SluiceError `store_unavailable` */
function readKeys(): Promise<void> {
  const current = held();
  const startedAt = now();
  current.triedAt = startedAt;
  current.reading ??= (async () => {
    try {
      const { rows } = await pool().query<KeyRow>('SELECT kid, "publicJwk", sealed, state, "signsFrom" FROM "SigningKey" WHERE "endsAt" IS NULL OR "endsAt" > $1 ORDER BY "signsFrom" DESC, kid', [nowDate()]);
      current.keys = await Promise.all(rows.map((row) => current.keys.find((k) => k.kid === row.kid && k.state === row.state) ?? load(row)));
      // What was read is as old as the question.
      current.readAt = startedAt;
    } catch (error) {
      throw isDatabaseDown(error) ? storeUnavailable(error) : error;
    } finally {
      current.reading = null;
    }
  })();
  return current.reading;
}

/** After a change of ours: a read that is under way may have looked before it. */
async function readKeysAnew(): Promise<void> {
  await held().reading?.catch(() => undefined);
  await readKeys();
}

async function load(row: KeyRow): Promise<SigningKey> {
  const publicJwk = PublicJwk.parse(row.publicJwk);
  return { kid: row.kid, state: row.state, signsFrom: row.signsFrom.getTime(), publicJwk, publicKey: await importJWK(publicJwk, algorithm), privateKey: row.state === "active" ? openPrivate(row) : null };
}

function openPrivate(row: KeyRow): KeyObject | null {
  try {
    const jwk: unknown = JSON.parse(unseal(env().VAULT_KEKS, row.sealed, { salt: row.kid, info, aad: row.kid }));
    return createPrivateKey({ key: PublicJwk.extend({ d: z.string() }).parse(jwk), format: "jwk" });
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    // The key still verifies what it signed; a new one signs from here on.
    logger.error({ kid: row.kid, err: error }, "a signing key does not open with VAULT_KEKS");
    return null;
  }
}

/** The newest whose time has come. */
const signer = () => held().keys.find((k) => k.privateKey !== null && k.signsFrom <= now());

/** Learns of new keys in time: beside the work as long as what is known is young, before it when that could have missed a whole publication. */
async function lookForNewKeys(): Promise<void> {
  const { readAt, triedAt } = held();
  const age = now() - readAt;
  if (age < rereadEveryMs || now() - triedAt < retryPauseMs) return;
  const reading = readKeys().catch((error: unknown) => logger.warn({ err: error }, "the signing keys could not be read anew"));
  if (age > (publishSeconds * 1000) / 2) await reading;
}

async function signingKey(): Promise<SigningKey> {
  await lookForNewKeys();
  if (!signer()) await readKeys();
  if (!signer()) {
    await createFirstKey();
    await readKeysAnew();
  }
  const key = signer();
  if (!key) throw new SluiceError("internal_error", "There is no signing key.");
  return key;
}

async function newKeyRow(signsFrom: Date) {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = PublicJwk.parse(await exportJWK(pair.publicKey));
  const kid = randomToken(16);
  return { kid, publicJwk, signsFrom, sealed: seal(sealingRing("VAULT_KEKS"), JSON.stringify(await exportJWK(pair.privateKey)), { salt: kid, info, aad: kid }) };
}

const lockKeys = (tx: Tx) => tx.$executeRaw`SELECT pg_advisory_xact_lock(${creationLock})`;

async function createFirstKey(): Promise<void> {
  const row = await newKeyRow(nowDate());
  await transaction(async (tx) => {
    await lockKeys(tx);
    const newest = await tx.signingKey.findFirst({ where: { state: "active", signsFrom: { lte: nowDate() } }, orderBy: [{ signsFrom: "desc" }, { kid: "asc" }], select: { kid: true, sealed: true } });
    // Somebody else made one while we waited for the lock, and it is one that we can use.
    if (newest && env().VAULT_KEKS.some((k) => newest.sealed.startsWith(`1.${k.kid}.`)) && !held().keys.some((k) => k.kid === newest.kid && k.privateKey === null)) return;
    await tx.signingKey.create({ data: row });
  });
}

export type RotatedKey = { kid: string; signsFrom: Date };

/** The key that signs last of all that there are; null before the first signature. */
export async function newestSigningKey(): Promise<RotatedKey | null> {
  const { rows } = await pool().query<RotatedKey>(`SELECT kid, "signsFrom" FROM "SigningKey" WHERE state = 'active' ORDER BY "signsFrom" DESC, kid LIMIT 1`);
  return rows[0] ?? null;
}

type Rotation = {
  publishSeconds: number;
  /** Nothing is done when another key than this is the newest by now. */
  unlessNewerThan?: string | undefined;
  /** The present keys are not trusted any more: nothing that they signed is accepted, and the new one signs at once. */
  distrust?: boolean;
  /** Writes down who did it, in the same transaction. */
  record(tx: Tx, made: RotatedKey): Promise<void>;
};

/** Makes the next key. The present ones verify until the last token that they can have signed has ended. */
export async function rotateSigningKey({ publishSeconds: ahead, unlessNewerThan, distrust = false, record }: Rotation): Promise<RotatedKey | null> {
  const row = await newKeyRow(new Date(now() + (distrust ? 0 : ahead * 1000)));
  const made = await transaction(async (tx) => {
    await lockKeys(tx);
    const newest = await tx.signingKey.findFirst({ where: { state: "active" }, orderBy: [{ signsFrom: "desc" }, { kid: "asc" }], select: { kid: true } });
    if (unlessNewerThan !== undefined && newest?.kid !== unlessNewerThan) return null;
    const endsAt = distrust ? nowDate() : new Date(row.signsFrom.getTime() + tokenLifeMsMax);
    await tx.signingKey.updateMany({ where: distrust ? {} : { endsAt: null }, data: { endsAt } });
    await tx.signingKey.create({ data: row });
    await record(tx, row);
    return { kid: row.kid, signsFrom: row.signsFrom };
  });
  await readKeysAnew();
  return made;
}

/** Forgets private parts that will not sign any more, and keys whose last token has ended. @returns how many keys went */
export async function dropEndedSigningKeys(): Promise<number> {
  const hourMs = 3_600_000;
  await pool().query(`UPDATE "SigningKey" SET state = 'retired', sealed = '', "retiredAt" = $1 WHERE state = 'active' AND "endsAt" < $2`, [nowDate(), new Date(now() + tokenLifeMsMax - hourMs)]);
  const { rowCount } = await pool().query('DELETE FROM "SigningKey" WHERE "endsAt" < $1', [new Date(now() - hourMs)]);
  return rowCount ?? 0;
}

/**
 * Signs a JWT of ours: `iss` (our own address), `iat`, `nbf`, `exp` and a random `jti` are added.
 * @param options.typ the header's `typ`, so that a token made for one purpose is useless for another.
 * @throws SluiceError `store_unavailable` when no key is known yet and the database is away.
 */
export async function signJwt(payload: JWTPayload, options: { typ: string; expiresInSeconds: number }): Promise<string> {
  const key = await signingKey();
  if (!key.privateKey) throw new SluiceError("internal_error", "There is no signing key.");
  const issuedAt = Math.floor(now() / 1000);
  const claims = { jti: randomToken(16), ...payload, iss: env().AUTH_URL, iat: issuedAt, nbf: issuedAt, exp: issuedAt + options.expiresInSeconds };
  return compact({ alg: algorithm, kid: key.kid, typ: options.typ }, claims, key.privateKey);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * A JWS in its compact form (RFC 7515, section 7.1; ES256 as in RFC 7518, section 3.4). Signed here and now: every call to
 * an engine carries such a token, and the library's way through WebCrypto and another thread was a large part
 * of what the call cost us.
 * Whoever verifies ours, tests included, uses the library.
 */
function compact(header: object, claims: object, privateKey: KeyObject): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/**
 * Verifies a JWT of ours: signature, algorithm, `typ`, issuer, audience and times (5 s of clock difference are forgiven).
 * @throws SluiceError `token_expired`, `invalid_credentials`, or `store_unavailable` when its key must be read and cannot be.
 */
export async function verifyJwt(jwt: string, options: { typ: string; audience: string }): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(jwt, async (header) => (await publicKeyOf(header.kid)).publicKey, {
      algorithms: [algorithm], typ: options.typ, issuer: env().AUTH_URL, audience: options.audience,
      clockTolerance: 5, currentDate: nowDate(), requiredClaims: ["exp", "iat", "jti"],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new SluiceError("token_expired", "The token has expired.", { cause: error });
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw new SluiceError("invalid_credentials", "The token is not valid.", { cause: error });
    throw error;
  }
}

async function publicKeyOf(kid: string | undefined): Promise<SigningKey> {
  await lookForNewKeys();
  const find = () => held().keys.find((k) => k.kid === kid);
  if (!find() && (held().reading || now() - held().readAt >= rereadPauseMs)) await readKeys();
  const key = find();
  if (!key) throw new SluiceError("invalid_credentials", "The token was not signed by a key of ours.");
  return key;
}

/** The key set for `/.well-known/jwks.json`: every key whose tokens may still be about, the signing one first. */
export async function publicKeySet(): Promise<JSONWebKeySet> {
  await signingKey();
  // With the database away what is known is still true, and whoever verifies our tokens must not fail for it.
  if (now() - held().readAt >= rereadPauseMs) await readKeys().catch((error: unknown) => logger.warn({ err: error }, "the key set could not be read anew"));
  const current = signer();
  const inOrder = [...held().keys].sort((a, b) => Number(b === current) - Number(a === current));
  return { keys: inOrder.map(({ kid, publicJwk }) => ({ ...publicJwk, kid, alg: algorithm, use: "sig" })) };
}

/** For tests: another process knows nothing of what this one read. */
export function forgetSigningKeys(): void {
  shared.sluiceSigningKeys = undefined;
}
