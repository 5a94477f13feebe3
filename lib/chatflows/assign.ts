import { actorRef, type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { notFound, SluiceError } from "@/lib/platform/errors";
import { isUuid, newId } from "@/lib/platform/ids";
import { findPersonByEmail } from "@/lib/tenants";
import type { AssignmentAnswer } from "./schemas";

/**
 * Lets a person of any tenant use a chatflow. Giving it twice changes nothing; what was taken away comes back.
 *
 * @throws SluiceError `insufficient_permission`; `not_found` for an unknown chatflow, or an email that no person has verified;
 *   `conflict` when several have.
 */
export async function assignByEmail(ctx: Context, flowiseId: string, email: string): Promise<AssignmentAnswer> {
  requirePermission(ctx, "admin:chatflows");
  const flow = await requireChatflow(flowiseId);
  const person = await findPersonByEmail(email);
  return transaction(async (tx) => {
    const where = { userId_chatflowId: { userId: person.id, chatflowId: flow.id } };
    const known = await tx.chatflowAssignment.findUnique({ where });
    const given = { isActive: true, removedAt: null, assignedAt: nowDate(), assignedBy: actorRef(ctx).id };
    // What they were given in a tenant that they have left counts no more.
    const isAssigned = known?.isActive && known.tenantId === person.tenantId;
    if (!isAssigned) {
      await tx.chatflowAssignment.upsert({ where, create: { id: newId(), tenantId: person.tenantId, userId: person.id, chatflowId: flow.id, ...given }, update: { ...given, tenantId: person.tenantId } });
      await recordAudit(tx, ctx, { action: known ? "assignment.reactivated" : "assignment.created", target: { type: "chatflow", id: flow.flowiseId }, tenantId: person.tenantId, data: { userId: person.id } });
    }
    const status = known && !isAssigned ? "reactivated" : "success";
    return { ...said(person, flow), status, message: isAssigned ? "Was assigned already." : status === "reactivated" ? "Assigned again." : "Assigned." };
  });
}

/** Takes it away. @throws SluiceError as above, and `already_inactive` when it is not assigned any more. */
export async function unassignByEmail(ctx: Context, flowiseId: string, email: string): Promise<AssignmentAnswer> {
  requirePermission(ctx, "admin:chatflows");
  const flow = await requireChatflow(flowiseId);
  const person = await findPersonByEmail(email);
  const removedAt = nowDate();
  return transaction(async (tx) => {
    const { count } = await tx.chatflowAssignment.updateMany({ where: { userId: person.id, chatflowId: flow.id, isActive: true }, data: { isActive: false, removedAt } });
    if (count === 0) {
      const known = await tx.chatflowAssignment.findUnique({ where: { userId_chatflowId: { userId: person.id, chatflowId: flow.id } }, select: { id: true } });
      throw known ? new SluiceError("already_inactive", "This was taken away before.") : notFound("This chatflow is not assigned to them.");
    }
    await recordAudit(tx, ctx, { action: "assignment.removed", target: { type: "chatflow", id: flow.flowiseId }, tenantId: person.tenantId, data: { userId: person.id } });
    return { ...said(person, flow), status: "success", message: "Removed.", removed_at: removedAt.toISOString() };
  });
}

async function requireChatflow(flowiseId: string) {
  const flow = isUuid(flowiseId) ? await db().chatflow.findUnique({ where: { flowiseId: flowiseId.toLowerCase() }, select: { id: true, flowiseId: true, name: true } }) : null;
  if (!flow) throw notFound("No such chatflow. Was it synchronised?");
  return flow;
}

function said(person: { id: string; username: string; email: string | null }, flow: { flowiseId: string; name: string }) {
  return { user_id: person.id, username: person.username, email: person.email, chatflow_id: flow.flowiseId, chatflow_name: flow.name };
}
