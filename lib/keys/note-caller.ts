import type { CallTrace } from "@/lib/access";
import type { Verdict } from "./verdict";

/** Writes down whom a check found behind the call, refused or not, so that the call shows in their request log; and tells them how their limits stand, however the call ends. */
export function noteCaller(call: CallTrace | undefined, { person, apiKeyId, ok, headers, degraded }: Verdict): void {
  call?.tell?.(headers);
  if (call && person) call.by = { userId: person.userId, tenantId: person.tenantId, ...(apiKeyId && { apiKeyId }), ...(!ok && { refused: true }), ...(apiKeyId && degraded && { uncounted: true }) };
}

/**
 * Writes down who is refused before any check is asked, known by a token whose signature or hash was good, so that they find out why. A check
 * that is asked after all says it better.
 */
export function noteRefused(call: CallTrace | undefined, by: { userId: string; tenantId: string; apiKeyId?: string | null | undefined } | null): void {
  if (call && by) call.by = { userId: by.userId, tenantId: by.tenantId, ...(by.apiKeyId && { apiKeyId: by.apiKeyId }), refused: true, uncounted: true };
}
