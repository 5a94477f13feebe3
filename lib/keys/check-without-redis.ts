import { type Permission, permissionBit, permissionMask, permissionsOf, roleMask } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { isDatabaseDown } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, storeUnavailable } from "@/lib/platform/errors";
import { loadPersonState, type PersonState } from "@/lib/tenants";
import { isInside, packAddress, parseRange } from "./addresses";
import { findKey, type KeyRow, readFamilyRow, type Start } from "./key-records";
import { addressLimitName } from "./limit";
import { degradedLimits } from "./local-limit";
import { type CheckOptions, refusal, type RefusalCode, type RefusalFacts, type Subject, type Verdict } from "./verdict";

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

async function check(start: Start, subject: Subject, { permission, ip, cost = 1, at }: CheckOptions): Promise<Verdict> {
  const found = start.by === "user" ? null : await findKey(start);
  const key = found?.row ?? null;
  const userId = start.by === "user" ? start.value : key?.userId;
  const state = userId ? await loadPersonState(userId) : null;
  const atMs = (cost === 0 ? at : undefined) ?? now();
  const known = { headers: degradedHeaders, degraded: true, ...(key && { apiKeyId: key.id }), ...(state && { person: state.person }) };
  const refuse = (code: RefusalCode, facts: RefusalFacts = {}): Verdict => ({ ok: false, error: refusal(code, { headers: degradedHeaders, permission, ip, atMs, ...facts }), ...known });
  const fail = (code: RefusalCode, facts: RefusalFacts = {}): Verdict => {
    const name = cost === 0 ? null : addressLimitName(ip);
    const counted = name ? degradedLimits.take([{ name, limit: env().AUTH_FAILURE_LIMIT }]) : null;
    return counted && !counted.ok ? refuse("address", { retryAfterSeconds: counted.retryAfterSeconds }) : refuse(code, facts);
  };

  if (!state) return fail("unknown");
  const family = start.familyId ? await readFamilyRow(start.familyId) : null;
  if (start.familyId && (!family || family.revokedAt)) return fail("family");
  if (key?.revokedAt) return fail("revoked");
  if (key?.expiresAt && key.expiresAt.getTime() <= atMs) return fail("expired", { expiresAtMs: key.expiresAt.getTime() });
  if (key?.disabledAt) return fail("disabled");
  const overlapEndsAtMs = key ? overlapEndOf(key, found?.overlapEndsAt ?? null, family?.secretGeneration ?? null) : undefined;
  if (overlapEndsAtMs !== undefined && overlapEndsAtMs <= atMs) return fail("rotated", { overlapEndsAtMs });
  const { person } = state;
  const ownerState = ownerProblem(state, key);
  if (ownerState) return refuse("owner", { ownerState });
  if (!person.role) return refuse("role");
  if (key && key.allowedIps.length > 0 && ip !== "any" && !key.allowedIps.some((text) => isInside(packAddress(ip), parseRange(text)?.packed ?? ""))) return refuse("ip", { allowedIps: key.allowedIps });
  const permissions = permissionsInForce(subject, key, roleMask(person.role));
  if (lacks(permissions, permission)) return refuse("permission", { permissions: permissionsOf(permissions) });

  const rateLimit = key && { requests: key.rateRequests, window: key.rateWindow };
  const taken = degradedLimits.take([
    ...(key && rateLimit ? [{ name: `k:${key.id}`, limit: rateLimit }] : []),
    { name: `u:${person.userId}`, limit: env().USER_RATE_LIMIT },
    { name: `t:${person.tenantId}`, limit: state.tenantRateLimit },
  ], cost);
  if (!taken.ok) return refuse("limit", { retryAfterSeconds: taken.retryAfterSeconds });
  return { ok: true, ...known, person, permissions, ...(key && rateLimit && { rateLimit, chatflowIds: key.chatflowIds.length > 0 ? key.chatflowIds : null, secretGeneration: key.secretGeneration - (found?.overlapEndsAt ? 1 : 0) }), ...(overlapEndsAtMs !== undefined && { earlierSecret: true }) };
}

/** Until when the secret works that the call, or the token's sign-in, came with; undefined for the present one. */
function overlapEndOf(key: KeyRow, overlapEndsAt: Date | null, tokensGeneration: number | null): number | undefined {
  if (overlapEndsAt) return overlapEndsAt.getTime();
  if (tokensGeneration === null || tokensGeneration === key.secretGeneration) return undefined;
  return tokensGeneration === key.secretGeneration - 1 ? (key.earlierEndsAt?.getTime() ?? 0) : 0;
}

function ownerProblem(state: PersonState, key: KeyRow | null): "tenant" | "person" | "moved" | null {
  if (!state.tenantIsActive) return "tenant";
  if (!state.isActive) return "person";
  return key && key.tenantId !== state.person.tenantId ? "moved" : null;
}

function permissionsInForce(subject: Subject, key: KeyRow | null, byRole: number): number {
  const byToken = subject.kind === "secret" ? undefined : subject.permissions;
  return (key ? permissionMask(key.permissions) : byRole) & (byToken ?? -1) & byRole;
}

function lacks(permissions: number, permission: Permission | undefined): boolean {
  return permission !== undefined && (permissions & permissionBit(permission)) === 0;
}
