import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { eventView } from "./list-own-events";
import type { AuditEventView } from "./schemas";

/** In administration: what somebody did and what was done to them, in whichever tenant, newest first. */
export async function listEventsOf(ctx: Context, userId: string, options: { limit: number }): Promise<AuditEventView[]> {
  requirePermission(ctx, "admin:audit");
  const events = await db().auditEvent.findMany({ where: { OR: [{ actorId: userId }, { targetType: "user", targetId: userId }] }, orderBy: [{ at: "desc" }, { id: "desc" }], take: options.limit });
  return events.map((event) => eventView({ ...event, own: true }));
}
