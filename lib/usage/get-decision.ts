import { type Context, hasPermission, requirePerson } from "@/lib/access";
import { notFound } from "@/lib/platform/errors";
import { findDecision, findOwnerOfDecision } from "./decisions";
import { flushCalls } from "./record-call";
import type { DecisionView } from "./schemas";

/**
 * Why a call of one's own was refused, or answered with another 4xx of ours, within the last day. Whoever holds `admin:audit` sees everybody's; of several
 * calls with one request id, the newest.
 *
 * @throws SluiceError `not_found` when it was not refused, is too old, or is somebody else's; `store_unavailable`
 */
export async function getDecision(ctx: Context, requestId: string): Promise<DecisionView> {
  const { userId } = requirePerson(ctx);
  // Whoever was refused a moment ago by this process may ask at once.
  await flushCalls();
  const own = await findDecision(userId, requestId);
  if (own) return own;
  const owner = hasPermission(ctx, "admin:audit") ? await findOwnerOfDecision(requestId) : null;
  const found = owner ? await findDecision(owner, requestId) : null;
  if (!found) throw notFound("No refused or failed call of yours with this request id is known. Reasons are kept for a day.");
  return found;
}
