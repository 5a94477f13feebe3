import { type Context, requirePermission } from "@/lib/access";
import { nowDate } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import { ownKeys } from "./get-key";
import { keyPolicy } from "./policy";

/** How many keys live (neither revoked nor expired) and how many may, and the longest life of one in days, null where it is not limited. */
export type KeyAllowance = { liveKeys: number; keysMax: number; lifetimeDays: number | null };

/** What the caller's plan and the operator leave them, to be told before they fill in a form. */
export async function getKeyAllowance(ctx: Context): Promise<KeyAllowance> {
  requirePermission(ctx, "api-keys:read");
  const own = ownKeys(ctx);
  return transaction(async (tx) => {
    const { keysPerUser, lifetimeDays } = await keyPolicy(tx, own.tenantId);
    const liveKeys = await tx.apiKey.count({ where: { ...own, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: nowDate() } }] } });
    return { liveKeys, keysMax: keysPerUser, lifetimeDays: lifetimeDays ?? null };
  });
}
