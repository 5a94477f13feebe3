import { permissionMask } from "@/lib/access";
import { isDatabaseDown, pool } from "@/lib/platform/db";
import { storeUnavailable } from "@/lib/platform/errors";
import { type StaleRecord, writeRecord } from "@/lib/platform/records";
import { redisRunId } from "@/lib/platform/redis";
import { writePersonRecords } from "@/lib/tenants";

/** What the key check reads in Redis, and how it gets there. The script names the formats that it expects. */
export const keyRecordByHash = (hash: string) => `sl:k:h:${hash}`;
export const keyRecordById = (id: string) => `sl:k:i:${id}`;
/** `1` while the tokens of a sign-in are good, else `0`. */
export const familyRecordKey = (familyId: string) => `sl:f:${familyId}`;

/** How long "there is no such key" is remembered; a key's import drops it. */
const unknownTtlSeconds = 5;
const unknown = "-";

export type KeyRow = {
  id: string; tenantId: string; userId: string; secretHash: string; permissions: string[]; rateRequests: number; rateWindow: number;
  expiresAt: Date | null; disabledAt: Date | null; revokedAt: Date | null; version: number;
};

/** What a check starts from: a key by its secret's hash or its id, or a person; and the token family that must be alive. */
export type Start = { by: "hash" | "id" | "user"; value: string; familyId?: string };

const columns = `id, "tenantId", "userId", "secretHash", permissions, "rateRequests", "rateWindow", "expiresAt", "disabledAt", "revokedAt", version`;

/** Raw `pg`: this is the miss path, where Prisma costs two and a half times the CPU. @throws SluiceError `store_unavailable` */
export async function readKeyRow(by: "hash" | "id", value: string): Promise<KeyRow | null> {
  const column = by === "hash" ? '"secretHash"' : "id";
  const { rows } = await query<KeyRow>(`key-by-${by}`, `SELECT ${columns} FROM "ApiKey" WHERE ${column} = $1`, value);
  return rows[0] ?? null;
}

/** @returns null for a family that never was. @throws SluiceError `store_unavailable` */
export async function readFamilyRow(familyId: string): Promise<{ version: number; revokedAt: Date | null } | null> {
  const { rows } = await query<{ version: number; revokedAt: Date | null }>("token-family", 'SELECT version, "revokedAt" FROM "TokenFamily" WHERE id = $1', familyId);
  return rows[0] ?? null;
}

async function query<T extends object>(name: string, text: string, value: string) {
  try {
    return await pool().query<T>({ name, text, values: [value] });
  } catch (error) {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  }
}

/** State as the check sees it; expiry is compared there, by Redis's clock. */
function stateLetter(row: Pick<KeyRow, "revokedAt" | "disabledAt">): "r" | "d" | "a" {
  if (row.revokedAt) return "r";
  return row.disabledAt ? "d" : "a";
}

function packKey(row: KeyRow): string {
  const state = stateLetter(row);
  return [row.id, row.tenantId, row.userId, state, row.expiresAt?.getTime() ?? 0, permissionMask(row.permissions), row.rateRequests, row.rateWindow].join("|");
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
    await writeRecord(familyRecordKey(start.familyId), family?.version ?? 0, family && !family.revokedAt ? "1" : "0", { runId, ...(!family && { ttlSeconds: unknownTtlSeconds }) });
  }
  if (start.by === "user") return (await writePerson(start.value)) !== null;
  const key = start.by === "hash" ? keyRecordByHash(start.value) : keyRecordById(start.value);
  const row = await readKeyRow(start.by, start.value);
  if (!row) {
    await writeRecord(key, 0, unknown, { runId, ttlSeconds: unknownTtlSeconds });
    return true;
  }
  await Promise.all([writeRecord(key, row.version, packKey(row), { runId }), writePerson(row.userId)]);
  return true;
}

async function writePerson(userId: string) {
  try {
    return await writePersonRecords(userId);
  } catch (error) {
    throw isDatabaseDown(error) ? storeUnavailable(error) : error;
  }
}

/** The copies to drop when a key's row has got this version. */
export function staleKeyRecords(key: { id: string; secretHash: string; version: number }): StaleRecord[] {
  return [{ key: keyRecordByHash(key.secretHash), version: key.version }, { key: keyRecordById(key.id), version: key.version }];
}
