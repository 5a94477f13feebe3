import { randomUUID } from "node:crypto";
import { type Context, jobContext, type Person, roleMask, type SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { metrics, sessionEndOf } from "@/lib/platform/metrics";
import { findPersonState } from "@/lib/tenants";
import type { SessionMeta } from "./record";

/** Where a request came from, for the audit event. */
export type Caller = { requestId: string; ip: string | null; userAgent: string | null };

export const unknownCaller = (): Caller => ({ requestId: randomUUID(), ip: null, userAgent: null });

export function personContext(person: Person, handle: SessionHandle, caller: Caller): Context {
  return { ...caller, tenantId: person.tenantId, actor: { type: "user", person, credential: { kind: "session", session: handle } }, permissions: roleMask(person.role) };
}

/** @param by who ended it; left out, Keycloak or a rule of ours did, and nobody is the actor. */
export async function recordSessionEnd(sessionId: string, meta: SessionMeta, reason: string, by?: Context): Promise<void> {
  metrics.sessionEnded.inc({ reason: sessionEndOf(reason) });
  const state = await findPersonState(meta.uid);
  const ctx = by ?? jobContext("sessions", randomUUID());
  await transaction((tx) => recordAudit(tx, ctx, {
    action: "session.ended", target: { type: "session", id: sessionId }, data: { reason, userId: meta.uid }, ...(state && { tenantId: state.person.tenantId }),
  }));
}

/**
 * A sign-in that Keycloak or a rule of ours refused, for the person's own events where we know whom it was about. What was typed is not kept:
 * people type passwords into the wrong field. Never throws.
 */
export async function recordFailedSignIn({ requestId, ip, userAgent }: Caller, failure: { by: "browser" | "password"; reason: string; known?: { id: string; tenantId: string } | undefined }): Promise<void> {
  const { by, reason, known } = failure;
  const ctx = { ...jobContext("sign-in", requestId), ip, userAgent };
  await transaction((tx) => recordAudit(tx, ctx, { action: "session.sign_in_failed", data: { by, reason }, ...(known && { target: { type: "user", id: known.id }, tenantId: known.tenantId }) }))
    .catch((error: unknown) => logger.error({ err: error }, "a failed sign-in was not recorded"));
}
