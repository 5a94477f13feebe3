import "server-only";
import { now } from "@/lib/platform/clock";
import { checkHealth } from "@/lib/platform/health";
import { checkEngines } from "@/lib/platform/health-engines";

export const statusParts = ["identity", "database", "sessions", "flowise", "nflow"] as const;
export type StatusPart = (typeof statusParts)[number];
/** `at` is when it was asked, in milliseconds; what it tells was seen up to a second before. */
export type PortalStatus = { at: number; parts: Record<StatusPart, boolean> };

/**
 * What works, for anybody who asks: the checks behind `/api/health/ready`, and whether the engines answer. Needs no part of what it
 * tells of, and is shared as those checks are. Says of each part yes or no and nothing else: why is in the log.
 */
export async function portalStatus(): Promise<PortalStatus> {
  const [{ checks }, engines] = await Promise.all([checkHealth(), checkEngines()]);
  const all = { identity: checks.identity, database: checks.database, sessions: checks.redis, ...engines };
  return { at: now(), parts: Object.fromEntries(statusParts.map((part) => [part, all[part].status === "ok"])) as PortalStatus["parts"] };
}
