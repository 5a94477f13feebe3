import { z } from "zod";
import { ChatflowIds, Permissions } from "@/lib/keys/schemas";

/** Inputs and answers of tokens (HTTP contract, section 5) and of the older clients' sign-in (section 6), where unknown fields are ignored. */

const noNul = (value: string) => !value.includes("\u0000");

export const AuthenticateInput = z.object({
  username: z.string().min(1).max(255).refine(noNul, "must not contain null characters").optional(),
  password: z.string().min(1).max(1000).optional(),
  api_key: z.string().min(1).max(256).optional(),
}).refine((input) => (input.api_key === undefined) !== (input.username === undefined || input.password === undefined), "must be username and password, or api_key")
  .refine((input) => input.api_key === undefined || (input.username === undefined && input.password === undefined), "must be either a password or an api_key");
export type AuthenticateInput = z.output<typeof AuthenticateInput>;

export const RefreshInput = z.object({ refresh_token: z.string().min(1).max(500) });
export type RefreshInput = z.output<typeof RefreshInput>;

/** A field left out means all that the caller has. */
export const IssueTokenInput = z.strictObject({ permissions: Permissions.optional(), chatflowIds: ChatflowIds.optional() });
export type IssueTokenInput = z.output<typeof IssueTokenInput>;

export const RefreshTokenInput = z.strictObject({ refresh_token: RefreshInput.shape.refresh_token });

const revokeFields = { refresh_token: RefreshInput.shape.refresh_token.optional(), all: z.boolean().optional() };
export const RevokeTokenInput = z.strictObject(revokeFields);
/** `token_id` is an access token's claim `jti`, or the id of its sign-in (`fam`): either ends the sign-in. */
export const RevokeInput = z.object({ ...revokeFields, token_id: z.string().max(100).optional(), all_tokens: z.boolean().optional() });
export type RevokeInput = z.output<typeof RevokeInput>;

/** Both are numbers: how many sign-ins of programs ended. */
export const RevokeAnswer = z.object({ message: z.string(), revoked_count: z.int(), revoked_tokens: z.int() });
export type RevokeAnswer = z.infer<typeof RevokeAnswer>;

const Role = z.enum(["admin", "user", "viewer"]);

/** The answer to obtaining tokens, and to a refresh as well. Lives in seconds. */
export const TokenPair = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int(),
  refresh_expires_in: z.int(),
  user: z.object({ id: z.uuid(), username: z.string(), email: z.string().nullable(), isVerified: z.boolean(), role: Role.nullable(), permissions: z.array(z.string()) }),
});
export type TokenPair = z.infer<typeof TokenPair>;

/** The same for the older chat client. */
export const TokenAnswer = TokenPair.omit({ refresh_expires_in: true }).extend({
  role: Role.nullable(),
  message: z.string(),
  /** Whether there is a grant by which keys and tokens can act for this person at the engines. */
  owner_grant: z.boolean(),
});
export type TokenAnswer = z.infer<typeof TokenAnswer>;

/** A program that is signed in, as its owner sees it. Times are ISO 8601. */
export const FamilyView = z.object({
  id: z.uuid(),
  origin: z.enum(["password", "apiKey", "session", "keycloak"]),
  key: z.object({ id: z.uuid(), name: z.string(), start: z.string(), last4: z.string() }).nullable(),
  /** Of its last refresh, else of its sign-in. */
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  createdAt: z.string(),
  refreshedAt: z.string().nullable(),
  /** When it has to sign in anew, unless it refreshes before. */
  expiresAt: z.string(),
  /** In force now. */
  permissions: z.array(z.string()),
  /** To how many chatflows it is limited; null: any that are assigned to its owner. */
  chatflowCount: z.int().nullable(),
});
export type FamilyView = z.infer<typeof FamilyView>;
