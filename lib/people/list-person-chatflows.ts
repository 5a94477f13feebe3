import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { readPersonRow } from "./list-people";
import type { PersonChatflows } from "./schemas";

/** In administration: which chatflows somebody may use in their tenant, or could (`is_active: false`), by name. @throws SluiceError `not_found` */
export async function listPersonChatflows(ctx: Context, userId: string): Promise<PersonChatflows> {
  requirePermission(ctx, "admin:users");
  const { id, username } = await readPersonRow(userId);
  const { tenantId } = await db().user.findUniqueOrThrow({ where: { id }, select: { tenantId: true } });
  // What they were given in a tenant that they have left counts no more.
  const assignments = await db().chatflowAssignment.findMany({
    where: { userId: id, tenantId },
    select: { isActive: true, assignedAt: true, chatflow: { select: { flowiseId: true, name: true } } }, orderBy: [{ chatflow: { name: "asc" } }, { id: "asc" }],
  });
  const chatflows = assignments.map(({ isActive, assignedAt, chatflow }) => ({ chatflow_id: chatflow.flowiseId, name: chatflow.name, is_active: isActive, created_at: assignedAt.toISOString() }));
  return { user_id: id, username, chatflows, total_count: chatflows.length };
}
