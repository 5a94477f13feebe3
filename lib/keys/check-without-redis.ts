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
import { rateHeaders } from "./rate-headers";
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
  const known = { degraded: true, ...(key && { apiKeyId: key.id }), ...(state && { person: state.person }) };
  const refuse = (code: RefusalCode, facts: RefusalFacts = {}, headers: Record<string, string> = degradedHeaders): Verdict => ({ ok: false, error: refusal(code, { headers, permission, ip, atMs, degraded: true, ...facts }), headers, ...known });
  const fail = (code: RefusalCode, facts: RefusalFacts = {}): Verdict => {
    const name = cost === 0 ? null : addressLimitName(ip);
    const counted = name ? degradedLimits.take([{ label: "address", name, limit: env().AUTH_FAILURE_LIMIT }]) : null;
    return counted && !counted.ok ? refuse("address", { retryAfterSeconds: counted.retryAfterSeconds, limit: counted.state }) : refuse(code, facts);
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
  const take = (units: 0 | 1) => takeFrom(key, state, units);
  // Refused before the limits: nothing is taken, but the caller still hears how they stand.
  const forbid = (code: RefusalCode, facts: RefusalFacts = {}): Verdict => refuse(code, facts, take(0).headers);
  const ownerState = ownerProblem(state, key);
  if (ownerState) return forbid("owner", { ownerState });
  if (!person.role) return forbid("role");
  if (key && key.allowedIps.length > 0 && ip !== "any" && !key.allowedIps.some((text) => isInside(packAddress(ip), parseRange(text)?.packed ?? ""))) return forbid("ip", { allowedIps: key.allowedIps });
  const permissions = permissionsInForce(subject, key, roleMask(person.role));
  if (lacks(permissions, permission)) return forbid("permission", { permissions: permissionsOf(permissions) });

  const taken = take(cost);
  const { headers } = taken;
  if (!taken.ok) return refuse("limit", { retryAfterSeconds: taken.retryAfterSeconds, limit: taken.state }, headers);
  return { ok: true, ...known, headers, person, permissions, ...(key && { rateLimit: rateLimitOf(key), chatflowIds: key.chatflowIds.length > 0 ? key.chatflowIds : null, secretGeneration: key.secretGeneration - (found?.overlapEndsAt ? 1 : 0) }), ...(overlapEndsAtMs !== undefined && { earlierSecret: true }) };
}

const rateLimitOf = (key: KeyRow) => ({ requests: key.rateRequests, window: key.rateWindow });

/** From this process's shares of the limits of key, owner and tenant; and the headers that tell of them. */
function takeFrom(key: KeyRow | null, { person, tenantRateLimit }: PersonState, cost: 0 | 1) {
  const taken = degradedLimits.take([
    ...(key ? [{ label: "key" as const, name: `k:${key.id}`, limit: rateLimitOf(key) }] : []),
    { label: "user", name: `u:${person.userId}`, limit: env().USER_RATE_LIMIT },
    { label: "tenant", name: `t:${person.tenantId}`, limit: tenantRateLimit },
  ], cost);
  // Without a key the headers are about the person, however little the tenant has left.
  const spoken = taken.ok && !key ? (taken.states[0] ?? taken.state) : taken.state;
  return { ...taken, headers: { ...degradedHeaders, ...rateHeaders(spoken, now()) } };
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
