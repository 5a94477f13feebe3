import type { CallTrace } from "@/lib/access";
import type { Verdict } from "./verdict";

/** Writes down whom a check found behind the call, refused or not, so that the call shows in their request log; and tells them how their limits stand, however the call ends. */
export function noteCaller(call: CallTrace | undefined, { person, apiKeyId, ok, headers }: Verdict): void {
  call?.tell?.(headers);
  if (call && person) call.by = { userId: person.userId, tenantId: person.tenantId, ...(apiKeyId && { apiKeyId }), ...(!ok && { refused: true }) };
}
