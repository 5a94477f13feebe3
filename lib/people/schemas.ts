import { z } from "zod";

/** Inputs and wire shapes of administration's people (HTTP contract, section 8). Pure. */

/** PostgreSQL's text cannot hold U+0000. */
const clean = (value: string) => !value.includes("\u0000") && value.isWellFormed();
const text = (max: number) => z.string().trim().max(max).refine(clean, "must be well-formed text");

export const roleFilters = ["admin", "user", "viewer", "none"] as const;
export const peopleSorts = ["username", "last_seen_at", "created_at"] as const;
export type PeopleSort = (typeof peopleSorts)[number];

/** From a query string. Without `limit` a list is whole. */
export const ListPeopleInput = z.strictObject({
  /** Part of a name, username or email, or an id as a whole (ours or Keycloak's). */
  q: text(200).optional(),
  /** `none`: people who have no role here, and so no access. */
  role: z.enum(roleFilters).optional(),
  is_active: z.enum(["true", "false"]).transform((value) => value === "true").optional(),
  /** A tenant's slug or id. */
  tenant: text(100).optional(),
  sort: z.enum(peopleSorts).default("username"),
  order: z.enum(["asc", "desc"]).optional(),
  limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").optional(),
  cursor: z.string().max(1000).optional(),
});
export type ListPeopleInput = z.output<typeof ListPeopleInput>;

export const PersonRow = z.object({
  id: z.uuid(),
  /** Keycloak's id, `sub`. */
  memberId: z.string(),
  username: z.string(), name: z.string().nullable(), email: z.string().nullable(), role: z.enum(["admin", "user", "viewer"]).nullable(),
  tenant: z.string(),
  /** What they can spend now: of their own account, or the tenant's where it is shared. */
  credits: z.int(),
  /** False when an administrator keeps them out here (`kept_out`) or Keycloak does not have them enabled (`keycloak_state`). */
  is_active: z.boolean(), kept_out: z.boolean(), keycloak_state: z.enum(["enabled", "disabled", "deleted"]),
  created_at: z.iso.datetime(), updated_at: z.iso.datetime(), last_seen_at: z.iso.datetime().nullable(),
});
export type PersonRow = z.infer<typeof PersonRow>;

export const PersonChatflows = z.object({
  user_id: z.uuid(), username: z.string(), chatflows: z.array(z.object({ chatflow_id: z.uuid(), name: z.string(), is_active: z.boolean(), created_at: z.iso.datetime() })), total_count: z.int(),
});
export type PersonChatflows = z.infer<typeof PersonChatflows>;

export const UserSyncAnswer = z.object({
  /** `partial` when somebody could not be carried over: see `errors`. */
  status: z.enum(["success", "partial"]), message: z.string(), timestamp: z.iso.datetime(),
  statistics: z.object({ total_external_users: z.int(), total_local_users: z.int(), created_users: z.int(), updated_users: z.int(), deactivated_users: z.int(), errors: z.array(z.string()) }),
});
export type UserSyncAnswer = z.infer<typeof UserSyncAnswer>;

export const SyncByEmailInput = z.strictObject({ email: z.email("must be an email address").max(320) });
export const SyncByEmailAnswer = z.object({ status: z.literal("success"), message: z.string(), user: PersonRow });
export type SyncByEmailAnswer = z.infer<typeof SyncByEmailAnswer>;

/** What ends; a part left out ends too, but `disable` must be asked for. */
export const RevokePersonInput = z.strictObject({
  sessions: z.boolean().default(true), tokens: z.boolean().default(true), keys: z.boolean().default(true), grant: z.boolean().default(true),
  /** Keys that the person made for other people; left out, as `keys`. */
  keys_for_others: z.boolean().optional(),
  /** Keeps the person out until an administrator lets them in again. */
  disable: z.boolean().default(false),
});
export type RevokePersonInput = z.output<typeof RevokePersonInput>;

/** How many of each ended: portal sessions, sign-ins of programs with all their tokens, keys, keys made for other people, and machine access. */
export const RevokePersonAnswer = z.object({
  user_id: z.uuid(), username: z.string(), sessions: z.int(), tokens: z.int(), keys: z.int(), keys_for_others: z.int(), grant: z.int(), disabled: z.boolean(),
  /**
   * Whether Keycloak's own sessions of the person ended too. `not_permitted`: the service account may only read (it would need `manage-users`);
   * `not_configured`: there is none; `unavailable`: Keycloak did not answer; `not_asked`: not all of sessions and grant were to end, and there that is one thing.
   */
  keycloak_sessions: z.enum(["ended", "not_permitted", "not_configured", "unavailable", "not_asked"]),
  is_active: z.boolean(), message: z.string(),
});
export type RevokePersonAnswer = z.infer<typeof RevokePersonAnswer>;

export const UpdatePersonInput = z.strictObject({ is_active: z.boolean() });
export type UpdatePersonInput = z.output<typeof UpdatePersonInput>;

/** What administration shows of one person. Instants are ISO 8601. */
export type PersonDetails = PersonRow & {
  emailVerified: boolean;
  tenantId: string;
  keptOutAt: string | null;
  /** When Keycloak was seen to have them disabled, deleted, or enabled again. */
  keycloakStateAt: string | null;
  /** Live portal sessions; null while the store does not answer. */
  sessions: number | null;
  /** Programs that signed in and may still refresh. */
  programs: number;
  /** Keys that are not revoked and belong to the tenant they have left: refused, as long as they are there. */
  keysLeftBehind: number;
  grant: { status: "missing" | "active" | "needs_reauth" | "owner_disabled"; lastUsedAt: string | null; actsUntil: string | null };
};

/** How the last sync of people ended; `succeeded` is null while one runs. */
export type LastSync = { startedAt: string; succeeded: boolean | null; error: string | null; statistics: UserSyncAnswer["statistics"] | null };
