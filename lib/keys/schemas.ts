import { z } from "zod";
import { expandPermissions, isPermissionInput, permissionNames, type PermissionPattern } from "@/lib/access/permissions";
import { parseRange } from "./addresses";

/** Inputs and wire shapes of API keys (HTTP contract, section 4). Pure: forms in the browser use them too. */

/** PostgreSQL's text cannot hold U+0000. */
const noNul = (value: string) => !value.includes("\u0000");
const nulError = "must not contain null characters";

const name = z.string().trim().min(1, "must not be empty").max(100).refine(noNul, nulError);
const description = z.string().max(500).refine(noNul, nulError);

/** Shorthands are accepted and come out expanded. Each unknown name is an error at its own index. */
export const Permissions = z.array(z.string().max(50).refine(isPermissionInput, "is not a permission")).min(1, "must name at least one permission").max(50)
  .transform((given): PermissionPattern[] => expandPermissions(given));

export const RateLimitInput = z.strictObject({
  requests: z.int().min(1, "must be at least 1").max(1_000_000, "must be at most 1000000"),
  window: z.int().min(1, "must be at least 1").max(2_592_000, "must be at most 2592000 seconds"),
});

/** Flowise's ids. Whether they are assigned to the owner is asked at each call, since assignments come and go. */
export const ChatflowIds = z.array(z.uuid("must be a chatflow's id")).min(1, "must name at least one chatflow; null means any").max(100, "must name at most 100 chatflows")
  .transform((ids) => [...new Set(ids.map((id) => id.toLowerCase()))]);

/** Addresses or CIDR ranges, v4 and v6; they come out as canonical CIDR. An empty list means from anywhere. */
export const AllowedIps = z.array(z.string().max(60).transform((text, ctx) => {
  const range = parseRange(text);
  if (range) return range.text;
  ctx.addIssue({ code: "custom", message: "must be an IPv4 or IPv6 address, or a range such as 10.0.0.0/8" });
  return z.NEVER;
})).max(100, "must name at most 100 ranges").transform((ranges) => [...new Set(ranges)]);

/** ISO 8601 with a zone; whether it lies in the future is asked when the key is made. */
const instant = z.iso.datetime({ offset: true, error: "must be an ISO 8601 instant" }).transform((value) => new Date(value));

export const defaultPermissions: PermissionPattern[] = ["chatflows:read", "ai:predict"];
export const defaultRateLimit = { requests: 1000, window: 3600 };

/**
 * A field left out means the default for people, and its own for a key that creates a key. `null` is "no limit" and so may be more than
 * such a key has.
 */
export const CreateKeyInput = z.strictObject({
  name,
  description: description.nullish(),
  permissions: Permissions.optional(),
  chatflowIds: ChatflowIds.nullish(),
  allowedIps: AllowedIps.optional(),
  /** Left out: that of the key which creates it, else 1000 in 3600 s. */
  rateLimit: RateLimitInput.optional(),
  expiresAt: instant.nullish(),
  /** Seconds from now. */
  expiresIn: z.int().min(1, "must be at least 1").max(3_153_600_000).optional(),
}).refine((input) => !(input.expiresAt && input.expiresIn), { path: ["expiresIn"], error: "must not be given together with expiresAt" });
export type CreateKeyInput = z.output<typeof CreateKeyInput>;

/** A field left out stays; `null` clears an expiry or a description. */
export const UpdateKeyInput = z.strictObject({
  name: name.optional(),
  description: description.nullable().optional(),
  permissions: Permissions.optional(),
  chatflowIds: ChatflowIds.nullable().optional(),
  allowedIps: AllowedIps.optional(),
  rateLimit: RateLimitInput.optional(),
  expiresAt: instant.nullable().optional(),
  isActive: z.boolean().optional(),
}).refine((input) => Object.values(input).some((value) => value !== undefined), "must name at least one field");
export type UpdateKeyInput = z.output<typeof UpdateKeyInput>;

export const keyStatuses = ["active", "disabled", "revoked", "expired"] as const;
export const KeyStatus = z.enum(keyStatuses);
export type KeyStatus = z.infer<typeof KeyStatus>;

export const keySorts = ["createdAt", "name", "lastUsedAt", "expiresAt"] as const;
export type KeySort = (typeof keySorts)[number];
export const keyOrders = ["asc", "desc"] as const;
export type KeyOrder = (typeof keyOrders)[number];
/** How each is sorted when no order is asked for: what people look for stands first. */
export const restingOrder: Record<KeySort, KeyOrder> = { createdAt: "desc", name: "asc", lastUsedAt: "desc", expiresAt: "asc" };

/** From a query string, so numbers come as text. */
export const ListKeysInput = z.strictObject({
  status: KeyStatus.optional(),
  sort: z.enum(keySorts).optional(),
  order: z.enum(keyOrders).optional(),
  q: z.string().trim().max(100).refine(noNul, nulError).optional(),
  limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").default(20),
  cursor: z.string().max(1000).optional(),
  /** Also each key's last 36 hours, for which `usage:read` is asked. */
  activity: z.enum(["true"]).optional(),
});
export type ListKeysInput = z.output<typeof ListKeysInput>;

/** In administration: of one tenant or person. */
export const ListAnyKeysInput = ListKeysInput.extend({ tenantId: z.uuid("must be a tenant's id").optional(), userId: z.uuid("must be a person's id").optional() });
export type ListAnyKeysInput = z.output<typeof ListAnyKeysInput>;

export const RevokeKeyInput = z.strictObject({ cascade: z.enum(["true", "false"]).transform((v) => v === "true").optional() });

const monthSeconds = 2_592_000;

/** For how long the old secret goes on working, and after how long a silence it stops before that. */
export const RotateKeyInput = z.strictObject({
  overlapSeconds: z.int().min(0, "must not be negative").max(monthSeconds, `must be at most ${monthSeconds} seconds`),
  endWhenQuietSeconds: z.int().min(1, "must be at least 1").max(monthSeconds, `must be at most ${monthSeconds} seconds`).optional(),
});
export type RotateKeyInput = z.output<typeof RotateKeyInput>;

/** `key`: whatever came to the asking service as one, tokens too. `ip`: also ask the key's address list, for a call from there. */
export const VerifyKeyInput = z.strictObject({
  key: z.string().min(1).max(8192),
  permission: z.enum(permissionNames).optional(),
  ip: z.string().max(60).refine((text) => !text.includes("/") && parseRange(text) !== null, "must be an IPv4 or IPv6 address").optional(),
});
export type VerifyKeyInput = z.output<typeof VerifyKeyInput>;

export const keyReminderKinds = ["earlier_secret_used", "expiring", "expired_recently", "old"] as const;
/** Something to do about a key; what `at` is depends on the kind, see `listKeyReminders`. */
export type KeyReminder = { apiKeyId: string; name: string; kind: (typeof keyReminderKinds)[number]; at: string };

const time = z.iso.datetime();

/** **Key** of the contract. Neither the secret nor its hash is ever in it. */
export const ApiKeyView = z.object({
  id: z.uuid(),
  name: z.string(),
  description: z.string().nullable(),
  start: z.string(),
  last4: z.string(),
  permissions: z.array(z.string()),
  chatflowIds: z.array(z.string()).nullable(),
  rateLimit: z.object({ requests: z.int(), window: z.int() }),
  expiresAt: time.nullable(),
  allowedIps: z.array(z.string()),
  isActive: z.boolean(),
  status: KeyStatus,
  createdAt: time,
  createdBy: z.object({ type: z.string(), id: z.string().nullable() }),
  updatedAt: time,
  lastUsedAt: time.nullable(),
  lastRequestAt: time.nullable(),
  requestCount: z.int(),
  revokedAt: time.nullable(),
  revokedReason: z.string().nullable(),
  tenantId: z.uuid(),
  userId: z.uuid(),
  actsUntil: time.nullable(),
  rotation: z.object({ overlapEndsAt: time, previousSecretLastUsedAt: time.nullable() }).nullable(),
  /** In lists that ask for it: the last 36 hours, the present one last. */
  activity: z.array(z.object({ requests: z.int(), refused: z.int() })).optional(),
});
export type ApiKeyView = z.infer<typeof ApiKeyView>;

/** What creation answers, this once: the key and its secret. */
export const CreatedKeyView = ApiKeyView.extend({ key: z.string() });
export type CreatedKeyView = z.infer<typeof CreatedKeyView>;

/** One who still calls with the secret that was rotated away. */
export const RotationCaller = z.object({ ip: z.string().nullable(), userAgent: z.string().nullable(), lastUsedAt: time, requests: z.int() });

/** Who still calls with the secret that was rotated away. */
export const RotationView = z.object({
  overlapEndsAt: time,
  previousSecretLastUsedAt: time.nullable(),
  callers: z.array(RotationCaller),
});
export type RotationView = z.infer<typeof RotationView>;

/** What another service learns of a key that was sent to it; `code` says why it is not valid. */
export const VerifyAnswer = z.object({
  valid: z.boolean(),
  code: z.string().optional(),
  apiKeyId: z.uuid().optional(),
  ownerId: z.uuid().optional(),
  permissions: z.array(z.string()).optional(),
  rateLimit: z.object({ requests: z.int(), window: z.int() }).optional(),
});
export type VerifyAnswer = z.infer<typeof VerifyAnswer>;

const words = (max: number) => z.string().trim().min(1, "must not be empty").max(max).refine((value) => !value.includes("\u0000") && value.isWellFormed(), "must be well-formed text");

/** Whose the key will be: a tenant by slug or id; a person by username, verified email or id. */
export const CreateAnyKeyInput = CreateKeyInput.safeExtend({ tenant: words(100), user: words(320) });
export type CreateAnyKeyInput = z.output<typeof CreateAnyKeyInput>;

export const importMax = 1000;

/** A key that an earlier system knows by its SHA-256. `userId` is our id of the owner, or Keycloak's (`sub`); else `tenant` and `user` name them. */
export const ImportedKey = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, "must be 64 hex digits"),
  /** What was hashed: the whole key, or what follows its prefix. */
  hashed: z.enum(["whole", "afterPrefix"]).default("whole"),
  /** Such as `kaa_`. */
  prefix: z.string().regex(/^[A-Za-z0-9]{1,20}[_-]$/, "must be letters and digits, ended by _ or -").optional(),
  name,
  description: description.nullish(),
  userId: words(255).optional(),
  tenant: words(100).optional(),
  user: words(320).optional(),
  permissions: Permissions,
  chatflowIds: ChatflowIds.nullish(),
  allowedIps: AllowedIps.optional(),
  /** Left out: that of the key which creates it, else 1000 in 3600 s. */
  rateLimit: RateLimitInput.optional(),
  expiresAt: instant.nullish(),
  /** For display; default the prefix. */
  start: z.string().max(40).refine(noNul, nulError).optional(),
  last4: z.string().max(4).refine(noNul, nulError).optional(),
}).refine((key) => key.hashed === "whole" || key.prefix !== undefined, { path: ["prefix"], error: "is needed where only what follows it was hashed" })
  .refine((key) => (key.userId !== undefined) !== (key.tenant !== undefined && key.user !== undefined), { path: ["userId"], error: "or tenant and user must say whose the key is, and not both" });
export type ImportedKey = z.output<typeof ImportedKey>;

export const ImportKeysInput = z.strictObject({
  keys: z.array(ImportedKey).min(1, "must name at least one key").max(importMax, `must name at most ${importMax} keys`),
  /** Says what would happen, and does nothing. */
  dryRun: z.boolean().default(false),
});
export type ImportKeysInput = z.output<typeof ImportKeysInput>;

export { decodeKeyFile } from "./decode-key-file";

/** A file as it was uploaded or pasted: CSV or JSON, told apart by how it begins. */
export const ImportKeyFileInput = z.strictObject({
  text: z.string().min(1, "must not be empty").max(5_000_000, "must be at most 5 MB"),
  /** For lines that name a user and no tenant. */
  tenant: words(100).optional(),
  dryRun: z.boolean().default(false),
});
export type ImportKeyFileInput = z.output<typeof ImportKeyFileInput>;

/** One for each key, in their order. `exists`: imported before, or twice in this list; nothing was changed. */
export const ImportResult = z.object({
  index: z.int(), name: z.string(), status: z.enum(["imported", "exists", "error"]),
  id: z.uuid().optional(), userId: z.uuid().optional(), code: z.string().optional(), detail: z.string().optional(), grant: z.enum(["missing", "active"]).optional(),
});
export type ImportResult = z.infer<typeof ImportResult>;

const Grant = z.enum(["missing", "active"]);
/** In administration: whose it is, by slug and username, and whether the engines can be called in their name. */
export const AnyKeyView = ApiKeyView.extend({ tenant: z.string(), user: z.string(), grant: Grant });
export type AnyKeyView = z.infer<typeof AnyKeyView>;
export const CreatedAnyKeyView = CreatedKeyView.extend({ grant: Grant });
export type CreatedAnyKeyView = z.infer<typeof CreatedAnyKeyView>;

export const BootstrapUse = z.object({ id: z.uuid(), at: time, action: z.string(), ip: z.string().nullable(), userAgent: z.string().nullable(), requestId: z.string().nullable(), data: z.unknown() });
export type BootstrapUse = z.infer<typeof BootstrapUse>;
/**
 * A call that nobody makes. `at` is the moment to judge by (left out: now), `ip` where it would come from (left out: the address list is
 * not asked). What it would need is said by a permission, or by the method and path of the API that would be called.
 */
export const WhatIfInput = z.strictObject({
  apiKeyId: z.uuid("must be a UUID"),
  at: instant.optional(),
  ip: z.union([z.ipv4(), z.ipv6()], { error: "must be an IPv4 or IPv6 address" }).optional(),
  permission: z.enum(permissionNames, { error: "is not a permission" }).optional(),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"], { error: "must be GET, POST, PUT, PATCH or DELETE" }).optional(),
  path: z.string().regex(/^\/[^\s?#]*$/, "must be a path such as /api/v1/chatflows").max(500).optional(),
}).refine((input) => (input.method === undefined) === (input.path === undefined), { path: ["path"], error: "must come together with method" })
  .refine((input) => input.permission === undefined || input.path === undefined, { path: ["permission"], error: "must not be given together with path" });
export type WhatIfInput = z.output<typeof WhatIfInput>;

const decisionValue = z.union([z.string(), z.number(), z.array(z.string())]).nullable();

/** `passed` is null for steps that were not reached or not asked for. */
export const WhatIfStep = z.object({ check: z.string(), passed: z.boolean().nullable(), seen: decisionValue, limit: decisionValue });
export type WhatIfStep = z.infer<typeof WhatIfStep>;

export const WhatIfAnswer = z.object({
  admitted: z.boolean(), code: z.string().optional(), detail: z.string().optional(), at: time, permission: z.string().nullable(),
  /** In force then, where it came so far. */
  permissions: z.array(z.string()).optional(), steps: z.array(WhatIfStep),
});
export type WhatIfAnswer = z.infer<typeof WhatIfAnswer>;
