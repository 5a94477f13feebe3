import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { nowDate } from "@/lib/platform/clock";
import { db, type Prisma } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import { ownKeys } from "./get-key";
import { keyFields, viewOf } from "./key-view";
import type { ApiKeyView, KeyStatus, ListKeysInput } from "./schemas";

/** The last row of the page before: its time and id, so that rows that come or go meanwhile shift nothing. */
const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

/** One's own keys, newest first. */
export async function listKeys(ctx: Context, input: ListKeysInput): Promise<{ keys: ApiKeyView[]; nextCursor: string | null }> {
  requirePermission(ctx, "api-keys:read");
  const rows = await db().apiKey.findMany({
    where: { ...ownKeys(ctx), AND: [statusIs(input.status), matches(input.q), after(input.cursor)] },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: input.limit + 1,
    select: keyFields,
  });
  const page = rows.slice(0, input.limit);
  const last = page.at(-1);
  const nextCursor = rows.length > page.length && last ? Buffer.from(JSON.stringify([last.createdAt.toISOString(), last.id])).toString("base64url") : null;
  return { keys: page.map(viewOf), nextCursor };
}

function statusIs(status: KeyStatus | undefined): Prisma.ApiKeyWhereInput {
  const now = nowDate();
  const notExpired = { OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  if (status === "revoked") return { revokedAt: { not: null } };
  if (status === "expired") return { revokedAt: null, expiresAt: { lte: now } };
  if (status === "disabled") return { revokedAt: null, disabledAt: { not: null }, ...notExpired };
  if (status === "active") return { revokedAt: null, disabledAt: null, ...notExpired };
  return {};
}

function matches(q: string | undefined): Prisma.ApiKeyWhereInput {
  if (!q) return {};
  // Prisma passes LIKE's wildcards on, and every `start` has one.
  const literal = q.replace(/[\\%_]/g, "\\$&");
  const byHint: Prisma.ApiKeyWhereInput[] = [{ start: { startsWith: literal } }, { last4: q.slice(-4) }];
  return { OR: [{ name: { contains: literal, mode: "insensitive" } }, ...(q.length <= 4 ? byHint : byHint.slice(0, 1))] };
}

function after(cursor: string | undefined): Prisma.ApiKeyWhereInput {
  if (!cursor) return {};
  const [at, id] = parseCursor(cursor);
  return { OR: [{ createdAt: { lt: at } }, { createdAt: at, id: { lt: id } }] };
}

function parseCursor(cursor: string): [Date, string] {
  try {
    const [at, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return [new Date(at), id];
  } catch {
    throw invalid([{ pointer: "/cursor", detail: "is not a cursor of ours" }]);
  }
}
