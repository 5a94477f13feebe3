import { z } from "zod";
import type { AuditEvent } from "@/lib/generated/prisma/client";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { transaction } from "@/lib/platform/db";
import { auditHash, firstPrevHash, type SealedEvent } from "./chain";

export const sealAuditJob = { name: "audit.seal", payload: z.object({}) };

/** One sealer at a time, whoever it is. */
const sealerLock = advisoryLocks.auditSealer;
const batchSize = 500;

type Head = { seq: bigint; hash: string };

/**
 * Gives written events their number and the hash of the one before, per chain, in the order of writing.
 * Safe to run at any time and twice: a second sealer finds the lock taken and leaves.
 *
 * @returns how many events were sealed now.
 */
export function sealAudit(): Promise<number> {
  return transaction(async (tx) => {
    const [lock] = await tx.$queryRaw<{ locked: boolean }[]>`SELECT pg_try_advisory_xact_lock(${sealerLock}) AS locked`;
    if (!lock?.locked) return 0;
    const events = await tx.auditEvent.findMany({ where: { seq: null }, orderBy: { writeOrder: "asc" }, take: batchSize });
    const heads = new Map<string, Head>();
    for (const event of events) {
      const head = heads.get(event.chain) ?? (await headOf(event.chain));
      const seq = head.seq + 1n;
      const hash = auditHash(head.hash, sealedView(event, seq));
      await tx.auditEvent.update({ where: { id: event.id }, data: { seq, prevHash: head.hash, hash } });
      heads.set(event.chain, { seq, hash });
    }
    return events.length;

    async function headOf(chain: string): Promise<Head> {
      const last = await tx.auditEvent.findFirst({ where: { chain, seq: { not: null } }, orderBy: { seq: "desc" }, select: { seq: true, hash: true } });
      return { seq: last?.seq ?? 0n, hash: last?.hash ?? firstPrevHash };
    }
  });
}

export function sealedView(event: AuditEvent, seq: bigint): Omit<SealedEvent, "prevHash" | "hash"> {
  return {
    seq: Number(seq),
    at: event.at.toISOString(),
    tenantId: event.chain,
    actor: { type: event.actorType, id: event.actorId },
    action: event.action,
    target: event.targetType && event.targetId ? { type: event.targetType, id: event.targetId } : null,
    ip: event.ip,
    userAgent: event.userAgent,
    requestId: event.requestId,
    data: event.data,
  };
}
