import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { nowDate } from "@/lib/platform/clock";
import { db, Prisma } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import { listKeyActivity } from "@/lib/usage";
import { anyKeys, ownKeys } from "./get-key";
import { anyKeyFields, anyViewOf, keyFields, viewOf } from "./key-view";
import { type AnyKeyView, type ApiKeyView, type KeyOrder, keyOrders, type KeySort, keySorts, type KeyStatus, type ListAnyKeysInput, type ListKeysInput, restingOrder } from "./schemas";

/** The last row of the page before: how the list was sorted, what that row was sorted by (null: never), and its id. */
const Cursor = z.tuple([z.enum(keySorts), z.enum(keyOrders), z.string().max(200).nullable(), z.uuid()]);
type Cursor = z.infer<typeof Cursor>;

type Row = { id: string; sortedBy: Date | string | null };

/**
 * One's own keys, newest first unless told otherwise. Who pages on keeps the sort that the first page had, by the cursor.
 *
 * Rows that come or go meanwhile shift nothing. A key whose own place changes while somebody pages (used again while the list
 * is sorted by last use) may be met twice or not at all in that pass.
 * @throws SluiceError `insufficient_permission` where `activity` is asked for without `usage:read`; `validation_failed` for a cursor that is not ours, or of another sort
 */
export async function listKeys(ctx: Context, input: ListKeysInput): Promise<{ keys: ApiKeyView[]; nextCursor: string | null }> {
  requirePermission(ctx, "api-keys:read");
  const own = ownKeys(ctx);
  const { ids, nextCursor } = await findKeys(own, input);
  const keys = await db().apiKey.findMany({ where: { id: { in: ids }, ...own }, select: keyFields });
  const activity = input.activity ? await listKeyActivity(ctx, ids) : null;
  return { keys: inOrder(ids, keys.map((key) => ({ ...viewOf(key), ...(activity && { activity: activity.get(key.id) }) }))), nextCursor };
}

/** Everybody's keys, in administration: of one tenant or person where the filter says so, with whose they are. @throws SluiceError as `listKeys` */
export async function listAnyKeys(ctx: Context, { tenantId, userId, ...input }: ListAnyKeysInput): Promise<{ keys: AnyKeyView[]; nextCursor: string | null }> {
  const scope = { ...anyKeys(ctx), ...(tenantId && { tenantId }), ...(userId && { userId }) };
  const { ids, nextCursor } = await findKeys(scope, input);
  const keys = await db().apiKey.findMany({ where: { id: { in: ids }, ...scope }, select: anyKeyFields });
  return { keys: inOrder(ids, keys.map(anyViewOf)), nextCursor };
}

function inOrder<K extends { id: string }>(ids: string[], keys: K[]): K[] {
  const byId = new Map(keys.map((key) => [key.id, key]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

async function findKeys({ tenantId = null, userId = null }: { tenantId?: string | null; userId?: string | null }, input: ListKeysInput): Promise<{ ids: string[]; nextCursor: string | null }> {
  const cursor = input.cursor === undefined ? null : parseCursor(input.cursor);
  const sort = input.sort ?? cursor?.[0] ?? "createdAt";
  const order = input.order ?? cursor?.[1] ?? restingOrder[sort];
  if (cursor && (cursor[0] !== sort || cursor[1] !== order)) throw notOurs();

  // By hand, because a name sorts without regard to case, and a "never" as what it is: before all uses, after all expiries.
  const rows = await db().$queryRaw<Row[]>`
    SELECT id, ${column[sort]} AS "sortedBy" FROM "ApiKey"
    WHERE ${tenantId ? Prisma.sql`"tenantId" = ${tenantId}::uuid` : Prisma.sql`TRUE`} AND ${userId ? Prisma.sql`"userId" = ${userId}::uuid` : Prisma.sql`TRUE`} AND ${statusIs(input.status)} AND ${matches(input.q)} AND ${after(cursor)}
    ORDER BY ${sortValue[sort]} ${direction[order]}, id ${direction[order]} LIMIT ${input.limit + 1}`;
  const page = rows.slice(0, input.limit);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return { ids: page.map((row) => row.id), nextCursor: last ? cursorText([sort, order, last.sortedBy instanceof Date ? last.sortedBy.toISOString() : last.sortedBy, last.id]) : null };
}

const direction = { asc: Prisma.sql`ASC`, desc: Prisma.sql`DESC` } as const satisfies Record<KeyOrder, Prisma.Sql>;

const sortValue: Record<KeySort, Prisma.Sql> = {
  createdAt: Prisma.sql`"createdAt"`,
  name: Prisma.sql`lower(name)`,
  lastUsedAt: Prisma.sql`COALESCE("lastUsedAt", '-infinity'::timestamptz)`,
  expiresAt: Prisma.sql`COALESCE("expiresAt", 'infinity'::timestamptz)`,
};

const column: Record<KeySort, Prisma.Sql> = { createdAt: Prisma.sql`"createdAt"`, name: Prisma.sql`name`, lastUsedAt: Prisma.sql`"lastUsedAt"`, expiresAt: Prisma.sql`"expiresAt"` };

function after(cursor: Cursor | null): Prisma.Sql {
  if (!cursor) return Prisma.sql`TRUE`;
  const [sort, order, value, id] = cursor;
  const from: Record<KeySort, Prisma.Sql> = {
    createdAt: Prisma.sql`${value}::timestamptz`,
    name: Prisma.sql`lower(${value}::text)`,
    lastUsedAt: Prisma.sql`COALESCE(${value}::timestamptz, '-infinity')`,
    expiresAt: Prisma.sql`COALESCE(${value}::timestamptz, 'infinity')`,
  };
  return order === "asc" ? Prisma.sql`(${sortValue[sort]}, id) > (${from[sort]}, ${id}::uuid)` : Prisma.sql`(${sortValue[sort]}, id) < (${from[sort]}, ${id}::uuid)`;
}

function statusIs(status: KeyStatus | undefined): Prisma.Sql {
  const now = nowDate().toISOString();
  const notExpired = Prisma.sql`("expiresAt" IS NULL OR "expiresAt" > ${now}::timestamptz)`;
  if (status === "revoked") return Prisma.sql`"revokedAt" IS NOT NULL`;
  if (status === "expired") return Prisma.sql`"revokedAt" IS NULL AND "expiresAt" <= ${now}::timestamptz`;
  if (status === "disabled") return Prisma.sql`"revokedAt" IS NULL AND "disabledAt" IS NOT NULL AND ${notExpired}`;
  if (status === "active") return Prisma.sql`"revokedAt" IS NULL AND "disabledAt" IS NULL AND ${notExpired}`;
  return Prisma.sql`TRUE`;
}

function matches(q: string | undefined): Prisma.Sql {
  if (!q) return Prisma.sql`TRUE`;
  // LIKE's wildcards are letters here: every `start` has one.
  const literal = q.replace(/[\\%_]/g, "\\$&");
  const byLast4 = q.length <= 4 ? Prisma.sql`OR last4 = ${q}` : Prisma.empty;
  return Prisma.sql`(name ILIKE ${`%${literal}%`} OR start LIKE ${`${literal}%`} ${byLast4})`;
}

const cursorText = (cursor: Cursor) => Buffer.from(JSON.stringify(cursor)).toString("base64url");

function parseCursor(text: string): Cursor {
  try {
    const cursor = Cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
    const [sort, , value] = cursor;
    if (value === null ? !canBeNever(sort) : sort !== "name" && !z.iso.datetime().safeParse(value).success) throw notOurs();
    return cursor;
  } catch {
    throw notOurs();
  }
}

const canBeNever = (sort: KeySort) => sort === "lastUsedAt" || sort === "expiresAt";
const notOurs = () => invalid([{ pointer: "/query/cursor", detail: "is not a cursor of this list" }]);
