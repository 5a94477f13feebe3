import { actorRef, type Context } from "@/lib/access";
import { noteEffect } from "@/lib/platform/attempts";
import { nowDate } from "@/lib/platform/clock";
import type { Prisma, Tx } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";

export type AuditInput = {
  /** Dotted, starting with the names of the webhook events: `key.created`, `session.created`. */
  action: string;
  target?: { type: string; id: string };
  /** What changed, without secrets. */
  data?: Prisma.InputJsonObject;
  /** The chain when it is not the caller's tenant's (an admin acting on another tenant's row). */
  tenantId?: string;
};

/**
 * Writes an audit event in the transaction of what it records: unrecorded means undone. Sealing follows by itself. Since every
 * change comes through here, it is also where a named attempt learns that it had an effect.
 */
export async function recordAudit(tx: Tx, ctx: Context, event: AuditInput): Promise<void> {
  const actor = actorRef(ctx);
  await noteEffect(ctx.attempt, tx);
  await tx.auditEvent.create({
    data: {
      id: newId(),
      chain: event.tenantId ?? ctx.tenantId,
      at: nowDate(),
      actorType: actor.type,
      actorId: actor.id,
      action: event.action,
      targetType: event.target?.type ?? null,
      targetId: event.target?.id ?? null,
      ip: ctx.ip,
      userAgent: ctx.userAgent?.slice(0, 400) ?? null,
      requestId: ctx.requestId,
      data: event.data ?? {},
    },
  });
}
