import { z } from "zod";

/** What we read of Keycloak's representations. It adds fields with every version, so unknown ones are let be. */
export const Mapper = z.object({
  id: z.string().optional(), name: z.string(), protocol: z.string(), protocolMapper: z.string(), config: z.record(z.string(), z.string().nullish().transform((v) => v ?? "")).default({}),
});
export type Mapper = z.infer<typeof Mapper>;

/** Loose: a client is written back whole, with what we do not know of it. */
export const Client = z.looseObject({
  id: z.string(), clientId: z.string(), enabled: z.boolean().optional(), redirectUris: z.array(z.string()).default([]), attributes: z.record(z.string(), z.string()).default({}),
  protocolMappers: z.array(Mapper).default([]), defaultClientScopes: z.array(z.string()).default([]), optionalClientScopes: z.array(z.string()).default([]),
});
export type Client = z.infer<typeof Client>;

export const Role = z.looseObject({ id: z.string(), name: z.string() });
export type Role = z.infer<typeof Role>;
export const Scope = z.object({ id: z.string(), name: z.string() });
export const User = z.object({ id: z.string() });

/** All but the name is missing for somebody who may not see the realm. */
export const Realm = z.object({
  realm: z.string(), enabled: z.boolean().optional(), organizationsEnabled: z.boolean().optional(), defaultRole: z.object({ id: z.string(), name: z.string() }).optional(),
  accessTokenLifespan: z.number().optional(), ssoSessionIdleTimeout: z.number().optional(), ssoSessionMaxLifespan: z.number().optional(),
  revokeRefreshToken: z.boolean().optional(), refreshTokenMaxReuse: z.number().optional(),
  offlineSessionMaxLifespanEnabled: z.boolean().optional(), offlineSessionMaxLifespan: z.number().optional(),
});
export type Realm = z.infer<typeof Realm>;

/** The version is there for administrators of the whole server or realm, the features for everybody who may see anything. */
export const ServerInfo = z.object({
  systemInfo: z.object({ version: z.string().optional() }).optional(),
  features: z.array(z.object({ name: z.string(), enabled: z.boolean().optional() })).optional(),
});

export const TokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });
export const Refusal = z.object({ error: z.string().optional(), error_description: z.string().optional(), errorMessage: z.string().optional() });
