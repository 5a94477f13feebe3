import { z } from "zod";

/** What a Keycloak token says of a person, in our words. */
export type Identity = {
  issuer: string;
  sub: string;
  username: string;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
  role: "admin" | "user" | "viewer" | null;
  tenant: string;
  /** Every tenant that Keycloak names for them, `tenant` first. Left out where only one is known. */
  tenants?: string[];
  /** Whether their organization said so, which the admin API may hide from us. */
  tenantIsOrganization?: boolean;
  /** When Keycloak said this (its clock, ms), which proves that they were enabled then; left out where it is not known. */
  issuedAt?: number;
};

const text = (max: number) => z.string().max(max);

/** The claims that we read; everything else in a token is ignored. Realm roles stand in either of two places, clients' in a third. */
export const TokenClaims = z.object({
  iss: text(500),
  sub: text(255).min(1),
  preferred_username: text(255).optional(),
  email: text(320).optional(),
  email_verified: z.boolean().optional(),
  name: text(300).optional(),
  roles: z.array(text(255)).max(1000).optional(),
  realm_access: z.object({ roles: z.array(text(255)).max(1000).optional() }).optional(),
  groups: z.array(text(500)).max(1000).optional(),
  resource_access: z.record(z.string().max(255), z.object({ roles: z.array(text(255)).max(1000).optional() }).loose()).optional(),
  iat: z.number().optional(),
  organization: z.union([z.array(text(255)).max(100), z.record(z.string(), z.unknown())]).optional(),
}).loose();
export type TokenClaims = z.infer<typeof TokenClaims>;

/** PostgreSQL's text cannot hold U+0000. */
const clean = (value: string) => !value.includes("\u0000") && value.isWellFormed();
const nameOf = (max: number) => z.string().trim().min(1, "must not be empty").max(max).refine(clean, "must be well-formed text");

const RateLimit = z.strictObject({
  requests: z.int().min(1, "must be at least 1").max(9_999_999),
  window: z.int().min(1, "must be at least 1").max(2_592_000, "must be at most 2592000 seconds"),
});

/** What a plan or a tenant sets. A member that is null or left out is taken from the next one: tenant, plan, environment. */
export const LimitsInput = z.strictObject({
  keysPerUser: z.int().min(0).max(100_000).nullish(),
  keyMaxLifetimeDays: z.int().min(1).max(36_500).nullish(),
  /** Of the whole tenant, above those of its keys and people. */
  rateLimit: RateLimit.nullish(),
});
export type LimitsInput = z.output<typeof LimitsInput>;

/** As it stands in the database; what an older or newer version wrote beside it is ignored. */
export const StoredLimits = z.object({ keysPerUser: z.int().min(0), keyMaxLifetimeDays: z.int().min(1), rateLimit: z.object({ requests: z.int().min(1), window: z.int().min(1) }) }).partial();
export type StoredLimits = z.output<typeof StoredLimits>;

const slug = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, "must be 1 to 100 lower-case letters, digits, dots, dashes or underscores, as Keycloak names it");
export const creditModes = ["user", "tenant"] as const;
const CreditMode = z.enum(creditModes);

export const CreateTenantInput = z.strictObject({
  slug,
  /** Default: the slug. */
  name: nameOf(200).optional(),
  /** A plan's name or id; default "default". */
  plan: nameOf(100).optional(),
  limits: LimitsInput.optional(),
  creditMode: CreditMode.optional(),
});
export type CreateTenantInput = z.output<typeof CreateTenantInput>;

/** A field left out stays. `limits` are changed member by member; `null` gives one back to the plan. */
export const UpdateTenantInput = z.strictObject({
  name: nameOf(200).optional(),
  plan: nameOf(100).optional(),
  limits: LimitsInput.optional(),
  creditMode: CreditMode.optional(),
  isActive: z.boolean().optional(),
}).refine((input) => Object.values(input).some((value) => value !== undefined), "must name at least one field");
export type UpdateTenantInput = z.output<typeof UpdateTenantInput>;

const monthlyCredits = z.int().min(0).max(1_000_000_000);
export const CreatePlanInput = z.strictObject({ name: nameOf(100), limits: LimitsInput.optional(), monthlyCredits: monthlyCredits.default(1000) });
export type CreatePlanInput = z.output<typeof CreatePlanInput>;

export const UpdatePlanInput = z.strictObject({ name: nameOf(100).optional(), limits: LimitsInput.optional(), monthlyCredits: monthlyCredits.optional() })
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must name at least one field");
export type UpdatePlanInput = z.output<typeof UpdatePlanInput>;

/** From a query string, so numbers come as text. */
export const ListTenantsInput = z.strictObject({
  q: z.string().trim().max(100).refine(clean, "must be well-formed text").optional(),
  limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").default(20),
  cursor: z.string().max(500).optional(),
});
export type ListTenantsInput = z.output<typeof ListTenantsInput>;

const LimitsView = z.object({ keysPerUser: z.int().nullable(), keyMaxLifetimeDays: z.int().nullable(), rateLimit: z.object({ requests: z.int(), window: z.int() }).nullable() });
export type LimitsView = z.infer<typeof LimitsView>;

export const TenantView = z.object({
  id: z.uuid(), slug: z.string(), name: z.string(),
  /** The plan's name. */
  plan: z.string(), planId: z.uuid(),
  /** Its own; null where the plan's holds. */
  limits: LimitsView,
  /** What holds now, from tenant, plan and environment. */
  limitsInForce: LimitsView,
  creditMode: CreditMode, isActive: z.boolean(), users: z.int(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime(),
});
export type TenantView = z.infer<typeof TenantView>;

export const PlanView = z.object({
  id: z.uuid(), name: z.string(), limits: LimitsView, monthlyCredits: z.int(),
  /** The one that new tenants get. It cannot be deleted. */
  isDefault: z.boolean(), tenants: z.int(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime(),
});
export type PlanView = z.infer<typeof PlanView>;
