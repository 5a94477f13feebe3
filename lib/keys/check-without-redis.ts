import { type Permission, permissionBit, permissionMask, roleMask } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { isDatabaseDown } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, storeUnavailable } from "@/lib/platform/errors";
import { loadPersonState } from "@/lib/tenants";
import { type KeyRow, readFamilyRow, readKeyRow, type Start } from "./key-records";
import { addressLimitName } from "./limit";
import { degradedLimits } from "./local-limit";
import { type CheckCode, type CheckOptions, refusal, type Subject, type Verdict } from "./verdict";

const degradedHeaders = { "X-Sluice-Degraded": "limits" };

/**
 * The same check while Redis is away: everything from PostgreSQL, limits at a fraction and from this process's memory.
 * It is the reference of what the script decides, in the same order. With both stores away the verdict is `store_unavailable`.
 */
export async function checkWithoutRedis(start: Start, subject: Subject, options: CheckOptions): Promise<Verdict> {
  try {
    return await check(start, subject, options);
  } catch (error) {
    if (isDatabaseDown(error) || isSluiceError(error, "store_unavailable")) return { ok: false, error: storeUnavailable(error), headers: {}, degraded: true };
    throw error;
  }
}

async function check(start: Start, subject: Subject, { permission, ip, cost = 1 }: CheckOptions): Promise<Verdict> {
  const key = start.by === "user" ? null : await readKeyRow(start.by, start.value);
  const userId = start.by === "user" ? start.value : key?.userId;
  const state = userId ? await loadPersonState(userId) : null;
  const known = { headers: degradedHeaders, degraded: true, ...(key && { apiKeyId: key.id }), ...(state && { person: state.person }) };
  const refuse = (code: Exclude<CheckCode, "ok">, retryAfterSeconds = 1): Verdict =>
    ({ ok: false, error: refusal(code, { headers: degradedHeaders, retryAfterSeconds, ...(permission && { permission }) }), ...known });
  const fail = (code: Exclude<CheckCode, "ok">): Verdict => {
    const name = addressLimitName(ip);
    const counted = name ? degradedLimits.take([{ name, limit: env().AUTH_FAILURE_LIMIT }]) : null;
    return counted && !counted.ok ? refuse("address", counted.retryAfterSeconds) : refuse(code);
  };

  if (!state) return fail("unknown");
  if (start.familyId) {
    const family = await readFamilyRow(start.familyId);
    if (!family || family.revokedAt) return fail("family");
  }
  const keyProblem = key && problemOf(key);
  if (keyProblem) return fail(keyProblem);
  const { person } = state;
  if (!state.isActive || !state.tenantIsActive || (key && key.tenantId !== person.tenantId)) return refuse("owner");
  if (!person.role) return refuse("role");
  const permissions = permissionsOf(subject, key, roleMask(person.role));
  if (lacks(permissions, permission)) return refuse("permission");

  const taken = degradedLimits.take([
    ...(key ? [{ name: `k:${key.id}`, limit: { requests: key.rateRequests, window: key.rateWindow } }] : []),
    { name: `u:${person.userId}`, limit: env().USER_RATE_LIMIT },
    { name: `t:${person.tenantId}`, limit: env().TENANT_RATE_LIMIT },
  ], cost);
  if (!taken.ok) return refuse("limit", taken.retryAfterSeconds);
  return { ok: true, ...known, person, permissions, ...(key && { rateLimit: { requests: key.rateRequests, window: key.rateWindow } }) };
}

function problemOf(key: KeyRow): "revoked" | "expired" | "disabled" | null {
  if (key.revokedAt) return "revoked";
  if (key.expiresAt && key.expiresAt.getTime() <= now()) return "expired";
  return key.disabledAt ? "disabled" : null;
}

function permissionsOf(subject: Subject, key: KeyRow | null, byRole: number): number {
  const byToken = subject.kind === "secret" ? undefined : subject.permissions;
  return (key ? permissionMask(key.permissions) : byRole) & (byToken ?? -1) & byRole;
}

function lacks(permissions: number, permission: Permission | undefined): boolean {
  return permission !== undefined && (permissions & permissionBit(permission)) === 0;
}
