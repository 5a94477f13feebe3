import { permissionMask } from "@/lib/access";
import { isDatabaseDown, pool } from "@/lib/platform/db";
import { storeUnavailable } from "@/lib/platform/errors";
import { type StaleRecord, writeRecord } from "@/lib/platform/records";
import { redisRunId } from "@/lib/platform/redis";
import { writePersonRecords } from "@/lib/tenants";
import { parseRange } from "./addresses";

/** What the key check reads in Redis, and how it gets there. The script names the formats that it expects. */
export const keyRecordByHash = (hash: string) => `sl:k:h:${hash}`;
export const keyRecordById = (id: string) => `sl:k:i:${id}`;
/** `1` while the tokens of a sign-in are good, else `0`; then `|` and, of a key's, the generation of the secret that they were obtained with. */
export const familyRecordKey = (familyId: string) => `sl:f:${familyId}`;

/** How long "there is no such key" is remembered; a key's import drops it. */
const unknownTtlSeconds = 5;
const unknown = "-";

export type KeyRow = {
  id: string; tenantId: string; userId: string; secretHash: string; permissions: string[]; chatflowIds: string[]; allowedIps: string[]; rateRequests: number; rateWindow: number;
  expiresAt: Date | null; disabledAt: Date | null; revokedAt: Date | null; version: number;
  secretGeneration: number; /** The end of the last overlap, if the key was ever rotated. */ earlierEndsAt: Date | null;
};

/** A key as one of its secrets leads to it; `overlapEndsAt` is set for a secret that was rotated away. */
export type FoundKey = { row: KeyRow; hash: string; overlapEndsAt: Date | null };

/**
 * What a check starts from: a key by its secret's hash or its id, or a person; and the token family that must be alive.
 * `other` is the hash under which an earlier system would have stored the same secret, see `lookupHashes`.
 */
export type Start = { by: "hash" | "id" | "user"; value: string; other?: string; familyId?: string };

const columns = ["id", "tenantId", "userId", "secretHash", "permissions", "chatflowIds", "allowedIps", "rateRequests", "rateWindow", "expiresAt", "disabledAt", "revokedAt", "version", "secretGeneration"].map((name) => `k."${name}"`).join(", ")
  + ', (SELECT max(o."overlapEndsAt") FROM "EarlierSecret" o WHERE o."apiKeyId" = k.id) AS "earlierEndsAt"';
const bySecret = `SELECT ${columns}, k."secretHash" AS hash, NULL::timestamptz AS "overlapEndsAt" FROM "ApiKey" k WHERE k."secretHash" = ANY($1)
  UNION ALL SELECT ${columns}, e.hash, e."overlapEndsAt" FROM "EarlierSecret" e JOIN "ApiKey" k ON k.id = e."apiKeyId" WHERE e.hash = ANY($1)`;

/** Raw `pg`: this is the miss path, where Prisma costs two and a half times the CPU. @throws SluiceError `store_unavailable` */
async function readBySecret(hashes: string[]): Promise<FoundKey[]> {
  const { rows } = await query<KeyRow & { hash: string; overlapEndsAt: Date | null }>("key-by-secret", bySecret, hashes);
  return rows.map(({ hash, overlapEndsAt, ...row }) => ({ row, hash, overlapEndsAt }));
}

async function readById(id: string): Promise<KeyRow | null> {
  const { rows } = await query<KeyRow>("key-by-id", `SELECT ${columns} FROM "ApiKey" k WHERE id = $1`, id);
  return rows[0] ?? null;
}

/** The key that a check starts from, from PostgreSQL; null when there is none. @throws SluiceError `store_unavailable` */
export async function findKey(start: Start): Promise<Omit<FoundKey, "hash"> | null> {
  if (start.by === "hash") {
    const found = await readBySecret(hashesOf(start));
    return found.find(({ hash }) => hash === start.value) ?? found[0] ?? null;
  }
  const row = await readById(start.value);
  return row && { row, overlapEndsAt: null };
}

/** @returns null for a family that never was. @throws SluiceError `store_unavailable` */
export async function readFamilyRow(familyId: string): Promise<{ version: number; revokedAt: Date | null; secretGeneration: number | null } | null> {
  const { rows } = await query<{ version: number; revokedAt: Date | null; secretGeneration: number | null }>("token-family", 'SELECT version, "revokedAt", "secretGeneration" FROM "TokenFamily" WHERE id = $1', familyId);
  return rows[0] ?? null;
}

async function query<T extends object>(name: string, text: string, value: string | string[]) {
  try {
    return await pool().query<T>({ name, text, values: [value] });
  } catch (error) {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  }
}

const hashesOf = (start: Start) => (start.other === undefined ? [start.value] : [start.value, start.other]);

/** State as the check sees it; expiry is compared there, by Redis's clock. */
function stateLetter(row: Pick<KeyRow, "revokedAt" | "disabledAt">): "r" | "d" | "a" {
  if (row.revokedAt) return "r";
  return row.disabledAt ? "d" : "a";
}

function packKey(row: KeyRow): string {
  // What cannot be read as a range must not open the key to everybody: it becomes a range that nobody is in.
  const ranges = row.allowedIps.map((text) => parseRange(text)?.packed ?? "4ffffffff/32").join(",");
  return [row.id, row.tenantId, row.userId, stateLetter(row), row.expiresAt?.getTime() ?? 0, permissionMask(row.permissions), row.rateRequests, row.rateWindow, row.chatflowIds.join(","), ranges, row.secretGeneration, row.earlierEndsAt?.getTime() ?? 0].join("|");
}

const loading = new Map<string, Promise<boolean>>();

/**
 * Carries what a check needs from PostgreSQL into Redis, once for all who wait in this process.
 *
 * @returns false when there is nothing to check for (no such person): the caller refuses without asking again.
 * @throws SluiceError `store_unavailable`, or what ioredis throws when Redis is away.
 */
export function loadRecords(start: Start): Promise<boolean> {
  const name = `${start.by}:${start.value}:${start.familyId ?? ""}`;
  const running = loading.get(name);
  if (running) return running;
  const mine = load(start).finally(() => loading.delete(name));
  loading.set(name, mine);
  return mine;
}

async function load(start: Start): Promise<boolean> {
  // Before any row is read; see writeRecord.
  const runId = await redisRunId();
  if (start.familyId) {
    const family = await readFamilyRow(start.familyId);
    await writeRecord(familyRecordKey(start.familyId), family?.version ?? 0, family && !family.revokedAt ? `1|${family.secretGeneration ?? ""}` : "0|", { runId, ...(!family && { ttlSeconds: unknownTtlSeconds }) });
  }
  if (start.by === "user") return (await writePerson(start.value)) !== null;
  if (start.by === "id") {
    const row = await readById(start.value);
    await (row ? writeKey(keyRecordById(start.value), row, runId) : writeUnknown(keyRecordById(start.value), runId));
    return true;
  }
  const found = await readBySecret(hashesOf(start));
  await Promise.all(hashesOf(start).map((hash) => {
    const key = found.find((each) => each.hash === hash);
    return key ? writeSecret(key, runId) : writeUnknown(keyRecordByHash(hash), runId);
  }));
  return true;
}

/** The present secret has the key's whole record, an earlier one a pointer to it: what changes the key changes one place. */
async function writeSecret({ row, hash, overlapEndsAt }: FoundKey, runId: string): Promise<unknown> {
  if (!overlapEndsAt) return writeKey(keyRecordByHash(hash), row, runId);
  return Promise.all([writeRecord(keyRecordByHash(hash), row.version, `>${row.id}|${overlapEndsAt.getTime()}`, { runId }), writeKey(keyRecordById(row.id), row, runId)]);
}

async function writeKey(key: string, row: KeyRow, runId: string): Promise<unknown> {
  return Promise.all([writeRecord(key, row.version, packKey(row), { runId }), writePerson(row.userId)]);
}

function writeUnknown(key: string, runId: string): Promise<unknown> {
  return writeRecord(key, 0, unknown, { runId, ttlSeconds: unknownTtlSeconds });
}

async function writePerson(userId: string) {
  try {
    return await writePersonRecords(userId);
  } catch (error) {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  }
}

/** The copies to drop when a key's row has got this version. An earlier secret's is only a pointer and may stay. */
export function staleKeyRecords(key: { id: string; secretHash: string; version: number }): StaleRecord[] {
  return [{ key: keyRecordByHash(key.secretHash), version: key.version }, { key: keyRecordById(key.id), version: key.version }];
}
