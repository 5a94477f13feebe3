import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import type { BootstrapUse } from "./schemas";

const shownMax = 50;

/** The latest uses of the operator's token, and what was done with it, newest first: an administrator must see who walks in by that door. */
export async function listBootstrapUses(ctx: Context): Promise<BootstrapUse[]> {
  requirePermission(ctx, "admin:keys");
  const events = await db().auditEvent.findMany({ where: { actorType: "bootstrap", actorId: null }, orderBy: { at: "desc" }, take: shownMax, select: { id: true, at: true, action: true, ip: true, userAgent: true, requestId: true, data: true } });
  return events.map((event) => ({ ...event, at: event.at.toISOString() }));
}
