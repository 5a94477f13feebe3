import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { listEarlierSecretCallers } from "@/lib/usage";
import { keyIn, noSuchKey, ownKeys } from "./get-key";
import { keyFields, overlapOf } from "./key-view";
import type { RotationView } from "./schemas";

/** Who still calls with the secret that was rotated away; null when no overlap runs. @throws SluiceError `not_found` */
export async function getRotation(ctx: Context, id: string): Promise<RotationView | null> {
  requirePermission(ctx, "api-keys:read");
  const key = await db().apiKey.findFirst({ where: keyIn(ownKeys(ctx), id), select: keyFields });
  if (!key) throw noSuchKey();
  const overlap = overlapOf(key);
  if (!overlap) return null;
  const callers = await listEarlierSecretCallers({ tenantId: key.tenantId, apiKeyId: key.id }, overlap.rotatedAt);
  return { overlapEndsAt: overlap.overlapEndsAt.toISOString(), previousSecretLastUsedAt: overlap.lastUsedAt?.toISOString() ?? null, callers: callers.map((caller) => ({ ...caller, lastUsedAt: caller.lastUsedAt.toISOString() })) };
}
