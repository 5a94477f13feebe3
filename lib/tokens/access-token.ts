import { z } from "zod";
import { type Person, permissionMask, permissionsOf } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { signJwt, verifyJwt } from "@/lib/platform/signing-keys";

/** RFC 9068, so that no other JWT of ours can pass for an access token. */
const typ = "at+jwt";

/** What an access token of ours says. Whether it still holds is `checkCall`'s to say. */
export type AccessClaims = {
  /** Keycloak's `sub`. */
  sub: string;
  userId: string;
  tenantId: string;
  /** Bits, at most. */
  permissions: number;
  familyId: string;
  /** Set when the token stands for a key. */
  apiKeyId?: string;
};

const Claims = z.object({
  type: z.literal("access"),
  sub: z.string(),
  uid: z.uuid(),
  tenantId: z.uuid(),
  permissions: z.array(z.string()),
  fam: z.uuid(),
  key_id: z.uuid().optional(),
});

/** An ES256 JWT for ourselves (`aud` is our own address), good for `TOKEN_ACCESS_TTL_SECONDS`. */
export function newAccessToken(of: { person: Person; permissions: number; familyId: string; apiKeyId: string | null }): Promise<string> {
  const { person } = of;
  return signJwt({
    aud: env().AUTH_URL, sub: person.sub, type: "access", uid: person.userId, tenantId: person.tenantId, tenant: person.tenant,
    permissions: permissionsOf(of.permissions), fam: of.familyId, ...(of.apiKeyId && { key_id: of.apiKeyId }),
  }, { typ, expiresInSeconds: env().TOKEN_ACCESS_TTL_SECONDS });
}

/** @throws SluiceError `token_expired`, `invalid_credentials` */
export async function verifyAccessToken(jwt: string): Promise<AccessClaims> {
  const claims = Claims.safeParse(await verifyJwt(jwt, { typ, audience: env().AUTH_URL }));
  if (!claims.success) throw new SluiceError("invalid_credentials", "The token is not an access token.", { cause: claims.error });
  const { sub, uid, tenantId, permissions, fam, key_id } = claims.data;
  return { sub, userId: uid, tenantId, permissions: permissionMask(permissions), familyId: fam, ...(key_id && { apiKeyId: key_id }) };
}
