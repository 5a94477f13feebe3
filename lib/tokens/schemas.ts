import { z } from "zod";

/** Inputs and answers of the older clients' sign-in (HTTP contract, section 6). Unknown fields are ignored there. */

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

const Role = z.enum(["admin", "user", "viewer"]);

/** The answer to a sign-in, and to a refresh as well. */
export const TokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal("bearer"),
  /** Seconds. */
  expires_in: z.int(),
  user: z.object({ id: z.uuid(), username: z.string(), email: z.string().nullable(), isVerified: z.boolean(), role: Role.nullable(), permissions: z.array(z.string()) }),
  role: Role.nullable(),
  message: z.string(),
  /** Whether there is a grant by which keys and tokens can act for this person at the engines. */
  owner_grant: z.boolean(),
});
export type TokenAnswer = z.infer<typeof TokenAnswer>;
