import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { pool } from "@/lib/platform/db";

/** An hour of a key: calls that were not refused, and those that were. */
export type KeyHour = { requests: number; refused: number };

/** As many as a small picture can show. */
export const activityHours = 36;
const hourMs = 3_600_000;

/**
 * The last 36 hours of some of the caller's keys, the present hour last; an hour without calls is zeros, and so is a key that is not
 * theirs. As fresh as the counters of the keys.
 */
export async function listKeyActivity(ctx: Context, apiKeyIds: readonly string[]): Promise<Map<string, KeyHour[]>> {
  requirePermission(ctx, "usage:read");
  const { userId, tenantId } = requirePerson(ctx);
  const first = Math.floor(now() / hourMs) - activityHours + 1;
  const activity = new Map(apiKeyIds.map((id) => [id, Array.from({ length: activityHours }, (): KeyHour => ({ requests: 0, refused: 0 }))]));
  const { rows } = apiKeyIds.length === 0 ? { rows: [] } : await pool().query<{ apiKeyId: string; hour: number; requests: number; refused: number }>(
    `SELECT "apiKeyId", (extract(epoch FROM hour) / 3600)::int AS hour, greatest(sum(requests), 0)::int AS requests, sum(refused)::int AS refused FROM "UsageRollup"
     WHERE "apiKeyId" = ANY($1::uuid[]) AND "userId" = $2 AND "tenantId" = $3 AND hour >= to_timestamp($4) GROUP BY 1, 2`,
    [apiKeyIds, userId, tenantId, first * 3600],
  );
  for (const { apiKeyId, hour, requests, refused } of rows) {
    const hours = activity.get(apiKeyId);
    if (hours?.[hour - first]) hours[hour - first] = { requests, refused };
  }
  return activity;
}
