import { z } from "zod";
import { type Context, requirePermission, requirePerson } from "@/lib/access";
import type { AuditEvent } from "@/lib/generated/prisma/client";
import { db, Prisma } from "@/lib/platform/db";
import { invalid } from "@/lib/platform/errors";
import type { AuditEventView, ListEventsInput } from "./schemas";

const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

/**
 * What happened to oneself and one's keys, newest first: what one did, what one's keys did, and what others did to either. Of
 * others' deeds it is told who and what, not from which address.
 */
export async function listOwnEvents(ctx: Context, input: ListEventsInput): Promise<{ events: AuditEventView[]; nextCursor: string | null }> {
  requirePermission(ctx, "audit:read");
  const { userId } = requirePerson(ctx);
  const [at, id] = cursorOf(input.cursor);
  const keys = Prisma.sql`(SELECT k.id::text FROM "ApiKey" k WHERE k."tenantId" = ${ctx.tenantId}::uuid AND k."userId" = ${userId}::uuid)`;
  const rows = await db().$queryRaw<(AuditEvent & { own: boolean })[]>`
    SELECT e.*, (e."actorId" = ${userId} OR (e."actorType" = 'apiKey' AND e."actorId" IN ${keys})) AS own
    FROM "AuditEvent" e
    WHERE e.chain = ${ctx.tenantId}
      AND (e."actorId" = ${userId} OR (e."actorType" = 'apiKey' AND e."actorId" IN ${keys}) OR (e."targetType" = 'user' AND e."targetId" = ${userId}) OR (e."targetType" = 'apiKey' AND e."targetId" IN ${keys}))
      AND (${input.action ?? null}::text IS NULL OR e.action = ${input.action ?? null} OR starts_with(e.action, ${`${input.action}.`}))
      AND (${input.from ?? null}::timestamptz IS NULL OR e.at >= ${input.from ?? null}) AND (${input.to ?? null}::timestamptz IS NULL OR e.at < ${input.to ?? null})
      AND (${at}::timestamptz IS NULL OR (e.at, e.id) < (${at}::timestamptz, ${id}::uuid))
    ORDER BY e.at DESC, e.id DESC LIMIT ${input.limit + 1}`;
  const page = rows.slice(0, input.limit);
  const last = page.at(-1);
  return { events: page.map(eventView), nextCursor: rows.length > page.length && last ? Buffer.from(JSON.stringify([last.at.toISOString(), last.id])).toString("base64url") : null };
}

function cursorOf(cursor: string | undefined): [Date | null, string | null] {
  if (!cursor) return [null, null];
  try {
    const [at, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return [new Date(at), id];
  } catch {
    throw invalid([{ pointer: "/query/cursor", detail: "is not a cursor of ours" }]);
  }
}

/** @param event `own`: whoever looks may see from where it was done. */
export function eventView(event: AuditEvent & { own: boolean }): AuditEventView {
  return {
    seq: event.seq === null ? null : Number(event.seq), at: event.at.toISOString(), tenantId: event.chain, actor: { type: event.actorType, id: event.actorId }, action: event.action,
    target: event.targetType && event.targetId ? { type: event.targetType, id: event.targetId } : null,
    ip: event.own ? event.ip : null, userAgent: event.own ? event.userAgent : null, requestId: event.requestId,
    data: z.record(z.string(), z.unknown()).catch({}).parse(event.data), prevHash: event.prevHash, hash: event.hash,
  };
}
