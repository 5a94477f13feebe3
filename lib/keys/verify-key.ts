import { type Context, permissionsOf, requirePermission } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";
import { checkCall } from "./check-call";
import type { VerifyAnswer, VerifyKeyInput } from "./schemas";

/**
 * Tells another service whether a call with this key would be admitted now, limits included. Takes nothing from any limit, and neither
 * counts as a use of the key nor as somebody's failed attempt.
 *
 * @throws SluiceError `insufficient_permission`; `store_unavailable`, which is no answer about the key
 */
export async function verifyKey(ctx: Context, input: VerifyKeyInput): Promise<VerifyAnswer> {
  requirePermission(ctx, "admin:keys");
  const verdict = await checkCall({ kind: "secret", secret: input.key }, { ip: input.ip ?? "any", cost: 0, requestId: ctx.requestId, ...(input.permission && { permission: input.permission }) });
  if (!verdict.ok && isSluiceError(verdict.error, "store_unavailable")) throw verdict.error;
  const known = { ...(verdict.apiKeyId && { apiKeyId: verdict.apiKeyId }), ...(verdict.apiKeyId && verdict.person && { ownerId: verdict.person.userId }) };
  if (!verdict.ok) return { valid: false, code: verdict.error.code, ...known };
  return { valid: true, ...known, permissions: permissionsOf(verdict.permissions), ...(verdict.rateLimit && { rateLimit: verdict.rateLimit }) };
}
