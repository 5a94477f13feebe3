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
};

const text = (max: number) => z.string().max(max);

/** The claims that we read; everything else in a token is ignored. Realm roles stand in either of two places. */
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
  organization: z.union([z.array(text(255)).max(100), z.record(z.string(), z.unknown())]).optional(),
}).loose();
export type TokenClaims = z.infer<typeof TokenClaims>;
