import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { canReadKeycloak } from "@/lib/platform/keycloak-admin";
import { type LastSync, UserSyncAnswer } from "./schemas";

/** @returns `canSync` false where there is no service account to read people with; `last` null when there never was a sync. */
export async function findLastSync(ctx: Context): Promise<{ canSync: boolean; last: LastSync | null }> {
  requirePermission(ctx, "admin:users");
  const run = await db().syncRun.findFirst({ where: { kind: "people" }, orderBy: { startedAt: "desc" } });
  const statistics = UserSyncAnswer.shape.statistics.safeParse(run?.statistics);
  return { canSync: canReadKeycloak(), last: run && { startedAt: run.startedAt.toISOString(), succeeded: run.succeeded, error: run.error, statistics: statistics.success ? statistics.data : null } };
}
