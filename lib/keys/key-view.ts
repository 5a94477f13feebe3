import type { ApiKey } from "@/lib/generated/prisma/client";
import { now } from "@/lib/platform/clock";
import type { Prisma } from "@/lib/platform/db";
import type { AnyKeyView, ApiKeyView, KeyStatus } from "./schemas";

/** Everything of a key that its owner may see; never its hash. */
export const keyFields = {
  id: true, tenantId: true, userId: true, name: true, description: true, start: true, last4: true, permissions: true, chatflowIds: true, allowedIps: true, rateRequests: true, rateWindow: true,
  expiresAt: true, disabledAt: true, revokedAt: true, revokedReason: true, createdByType: true, createdById: true, requestCount: true,
  lastUsedAt: true, lastRequestAt: true, createdAt: true, updatedAt: true,
  user: { select: { grant: { select: { status: true, absDeadlineAt: true } } } },
  // Only the latest can still be working: while one does, the key cannot be rotated again.
  earlierSecrets: { orderBy: { rotatedAt: "desc" }, take: 1, select: { hash: true, overlapEndsAt: true, lastUsedAt: true, rotatedAt: true } },
} as const satisfies Prisma.ApiKeySelect;

export type KeyFields = Prisma.ApiKeyGetPayload<{ select: typeof keyFields }>;

/** In the order in which the check asks: a revoked key that also expired is revoked. */
export function statusOf(key: Pick<ApiKey, "revokedAt" | "expiresAt" | "disabledAt">): KeyStatus {
  if (key.revokedAt) return "revoked";
  if (key.expiresAt && key.expiresAt.getTime() <= now()) return "expired";
  return key.disabledAt ? "disabled" : "active";
}

const iso = (date: Date | null) => date?.toISOString() ?? null;

/** **Key** of the HTTP contract, section 4. */
export function viewOf(key: KeyFields): ApiKeyView {
  return {
    id: key.id,
    name: key.name,
    description: key.description,
    start: key.start,
    last4: key.last4,
    permissions: key.permissions,
    chatflowIds: key.chatflowIds.length > 0 ? key.chatflowIds : null,
    rateLimit: { requests: key.rateRequests, window: key.rateWindow },
    expiresAt: iso(key.expiresAt),
    allowedIps: key.allowedIps,
    isActive: !key.revokedAt && !key.disabledAt,
    status: statusOf(key),
    createdAt: key.createdAt.toISOString(),
    createdBy: { type: key.createdByType, id: key.createdById },
    updatedAt: key.updatedAt.toISOString(),
    lastUsedAt: iso(key.lastUsedAt),
    lastRequestAt: iso(key.lastRequestAt),
    requestCount: Number(key.requestCount),
    revokedAt: iso(key.revokedAt),
    revokedReason: key.revokedReason,
    tenantId: key.tenantId,
    userId: key.userId,
    actsUntil: iso(grantEndOf(key)),
    rotation: rotationOf(key),
  };
}

/** The secret that was rotated away and still works, if there is one. */
export function overlapOf(key: Pick<KeyFields, "earlierSecrets">): KeyFields["earlierSecrets"][number] | null {
  const [latest] = key.earlierSecrets;
  return latest && latest.overlapEndsAt.getTime() > now() ? latest : null;
}

function rotationOf(key: KeyFields): ApiKeyView["rotation"] {
  const overlap = overlapOf(key);
  return overlap && { overlapEndsAt: overlap.overlapEndsAt.toISOString(), previousSecretLastUsedAt: iso(overlap.lastUsedAt) };
}

/** When the owner's grant ends, and with it what the key can do upstream; null without a live one or without an end. */
function grantEndOf(key: KeyFields): Date | null {
  const grant = key.user.grant;
  return grant?.status === "active" ? grant.absDeadlineAt : null;
}

/** What to tell the owner when the key outlives the grant that it acts by. */
export function outlivesGrant(key: KeyFields): string | undefined {
  const actsUntil = grantEndOf(key);
  if (!actsUntil || (key.expiresAt && key.expiresAt <= actsUntil)) return undefined;
  return `Machine access ends on ${actsUntil.toISOString()}, before this key does. Renew it by then, or calls to the engines will be refused.`;
}

/** Whether the engines can be called in the owner's name while they are away. */
export function grantOf(key: KeyFields): "missing" | "active" {
  return key.user.grant?.status === "active" ? "active" : "missing";
}

/** In administration one also sees whose a key is. */
export const anyKeyFields = { ...keyFields, user: { select: { ...keyFields.user.select, username: true } }, tenant: { select: { slug: true } } } as const satisfies Prisma.ApiKeySelect;

export function anyViewOf(key: Prisma.ApiKeyGetPayload<{ select: typeof anyKeyFields }>): AnyKeyView {
  return { ...viewOf(key), tenant: key.tenant.slug, user: key.user.username, grant: grantOf(key) };
}
