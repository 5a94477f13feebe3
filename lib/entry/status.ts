import "server-only";
import { now } from "@/lib/platform/clock";
import { checkHealth } from "@/lib/platform/health";
import { checkEngines } from "@/lib/platform/health-engines";

export const statusParts = ["identity", "database", "sessions", "flowise", "nflow"] as const;
export type StatusPart = (typeof statusParts)[number];
/** `at` is when it was looked at, in milliseconds. */
export type PortalStatus = { at: number; parts: Record<StatusPart, boolean> };

const keptMs = 2000;
const shared = globalThis as typeof globalThis & { sluiceStatus?: { at: number; status: Promise<PortalStatus> } };

/**
 * What works, for anybody who asks: the checks behind `/api/health/ready`, and whether the engines answer. Needs no part of what it
 * tells of. However many ask, they share one look in two seconds. Says of each part yes or no and nothing else: why is in the log.
 */
export function portalStatus(): Promise<PortalStatus> {
  const at = now();
  if (!shared.sluiceStatus || at - shared.sluiceStatus.at > keptMs) shared.sluiceStatus = { at, status: look(at) };
  return shared.sluiceStatus.status;
}

async function look(at: number): Promise<PortalStatus> {
  const [{ checks }, engines] = await Promise.all([checkHealth(), checkEngines()]);
  const all = { identity: checks.identity, database: checks.database, sessions: checks.redis, ...engines };
  return { at, parts: Object.fromEntries(statusParts.map((part) => [part, all[part].status === "ok"])) as PortalStatus["parts"] };
}
