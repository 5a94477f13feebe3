import { z } from "zod";
import { type Context, requirePermission, requirePerson } from "@/lib/access";
import type { RequestLog } from "@/lib/generated/prisma/client";
import { db, type Prisma } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import { type AnyRequestView, enginesRefusal, type ListAllRequestsInput, type ListRequestsInput, refusedStatuses, type RequestView } from "./schemas";

export type Page<T> = { requests: T[]; nextCursor: string | null };

/** One's own calls, newest first, as far back as the log is kept. @throws SluiceError `validation_failed` for a cursor that is not ours */
export async function listRequests(ctx: Context, input: ListRequestsInput): Promise<Page<RequestView>> {
  requirePermission(ctx, "usage:read");
  const { rows, nextCursor } = await find({ tenantId: ctx.tenantId, userId: requirePerson(ctx).userId }, input);
  return { requests: rows.map(viewOf), nextCursor };
}

/** Everybody's, for administrators. */
export async function listAllRequests(ctx: Context, input: ListAllRequestsInput): Promise<Page<AnyRequestView>> {
  requirePermission(ctx, "admin:audit");
  const { tenantId, userId } = input;
  const { rows, nextCursor } = await find({ ...(tenantId && { tenantId }), ...(userId && { userId }) }, input);
  const [users, keys] = await Promise.all([
    db().user.findMany({ where: { id: { in: rows.map((row) => row.userId) } }, select: { id: true, username: true } }),
    db().apiKey.findMany({ where: { id: { in: rows.flatMap((row) => row.apiKeyId ?? []) } }, select: { id: true, name: true } }),
  ]);
  const userOf = new Map(users.map(({ id, username }) => [id, username]));
  const nameOf = new Map(keys.map(({ id, name }) => [id, name]));
  return {
    requests: rows.map((row) => {
      const [user, keyName] = [userOf.get(row.userId), row.apiKeyId && nameOf.get(row.apiKeyId)];
      return { ...viewOf(row), tenantId: row.tenantId, userId: row.userId, ...(user && { user }), ...(keyName && { keyName }) };
    }),
    nextCursor,
  };
}

async function find(whose: Prisma.RequestLogWhereInput, { apiKeyId, withKey, includePortal, requestId, status, from, to, limit, cursor }: ListRequestsInput): Promise<{ rows: RequestLog[]; nextCursor: string | null }> {
  // Who has a request id asks for that call, wherever it was made.
  const withPortal = includePortal === undefined ? Boolean(requestId) : includePortal === "true";
  const rows = await db().requestLog.findMany({
    where: { ...whose, ...(apiKeyId && { apiKeyId }), ...(requestId && { requestId }), ...(!withPortal && { portal: false }), AND: [{ at: { ...(from && { gte: from }), ...(to && { lt: to }) } }, statusIs(status), after(cursor), withKey ? { apiKeyId: withKey === "true" ? { not: null } : null } : {}] },
    orderBy: [{ at: "desc" }, { id: "desc" }],
    take: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > page.length && last ? Buffer.from(JSON.stringify([last.at.toISOString(), last.id])).toString("base64url") : null };
}

function statusIs(status: string | undefined): Prisma.RequestLogWhereInput {
  if (!status) return {};
  // As `isRefusal` and `isError` have it.
  if (status === "refused") return { status: { in: [...refusedStatuses] }, OR: [{ code: null }, { code: { not: enginesRefusal } }] };
  if (status === "error") return { status: { gte: 400, not: 499 }, OR: [{ status: { notIn: [...refusedStatuses] } }, { code: enginesRefusal }] };
  const lowest = Number(status.replace("xx", "00"));
  // A caller who left was not answered: 499 is asked for by its number.
  return status.endsWith("xx") ? { status: { gte: lowest, lt: lowest + 100, not: 499 } } : { status: lowest };
}

/** The last row of the page before: its time and id, so that rows that come meanwhile shift nothing. */
const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

function after(cursor: string | undefined): Prisma.RequestLogWhereInput {
  if (!cursor) return {};
  try {
    const [time, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    const at = new Date(time);
    // The first half alone would do for the answer; it is what lets the database leave out whole days.
    return { at: { lte: at }, OR: [{ at: { lt: at } }, { id: { lt: id } }] };
  } catch {
    throw invalid([{ pointer: "/query/cursor", detail: "is not a cursor of ours" }]);
  }
}

function viewOf(row: RequestLog): RequestView {
  const { requestId, method, route, status, ms, credits, ip, userAgent } = row;
  return {
    requestId, at: row.at.toISOString(), method, route, status, ...(row.code && { code: row.code }), ms, ...(row.apiKeyId && { apiKeyId: row.apiKeyId }),
    ...(row.upstream && { upstream: row.upstream }), ...(row.refId && { refId: row.refId }), credits, ip, userAgent, ...(row.portal && { portal: true as const }),
  };
}
