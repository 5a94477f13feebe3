import { errors } from "jose";
import { z } from "zod";
import { type Person, permissionMask, permissionsOf } from "@/lib/access";
import { randomToken } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { signJwt, verifyJwt } from "@/lib/platform/signing-keys";
import type { LeansOn } from "./leans-on";

/** RFC 9068, so that no other JWT of ours can pass for an access token. */
const typ = "at+jwt";

/** What an access token of ours says. Whether it still holds is `checkCall`'s and `refuseEnded`'s to say. */
export type AccessClaims = {
  /** Keycloak's `sub`. */
  sub: string;
  userId: string;
  tenantId: string;
  /** Bits, at most. */
  permissions: number;
  /** Flowise's ids that it is limited to. */
  chatflowIds?: string[];
  familyId: string;
  /** Set when the token stands for a key. */
  apiKeyId?: string;
  leansOn?: LeansOn;
};

const Claims = z.object({
  type: z.literal("access"),
  sub: z.string(),
  uid: z.uuid(),
  tenantId: z.uuid(),
  permissions: z.array(z.string()),
  chatflows: z.array(z.string()).optional(),
  fam: z.uuid(),
  key_id: z.uuid().optional(),
  /** The hash of a session's handle: it names the session and opens nothing. */
  ses: z.string().optional(),
  kc: z.object({ sid: z.string().nullable(), at: z.int() }).optional(),
});

export type NewAccessToken = { person: Person; permissions: number; family: { id: string; apiKeyId: string | null; chatflowIds: readonly string[]; leansOn: LeansOn } };

/** An ES256 JWT for ourselves (`aud` is our own address), good for `TOKEN_ACCESS_TTL_SECONDS`. Its `jti` begins with the sign-in's id, so that revoking by it needs no list of tokens. */
export function newAccessToken({ person, permissions, family }: NewAccessToken): Promise<string> {
  const { apiKeyId, chatflowIds, leansOn: { sessionId, signIn } } = family;
  return signJwt({
    aud: env().AUTH_URL, sub: person.sub, type: "access", uid: person.userId, tenantId: person.tenantId, tenant: person.tenant,
    permissions: permissionsOf(permissions), fam: family.id, jti: `${family.id}.${randomToken(16)}`, ...(apiKeyId && { key_id: apiKeyId }), ...(chatflowIds.length > 0 && { chatflows: chatflowIds }),
    ...(sessionId !== undefined && { ses: sessionId }), ...(signIn && { kc: { sid: signIn.kcSid, at: signIn.at } }),
  }, { typ, expiresInSeconds: env().TOKEN_ACCESS_TTL_SECONDS });
}

/** @throws SluiceError `token_expired`, `invalid_credentials` */
export async function verifyAccessToken(jwt: string): Promise<AccessClaims> {
  const claims = Claims.safeParse(await verifyJwt(jwt, { typ, audience: env().AUTH_URL }));
  if (!claims.success) throw new SluiceError("invalid_credentials", "The token is not an access token.", { cause: claims.error });
  const { sub, uid, tenantId, permissions, chatflows, fam, key_id, ses, kc } = claims.data;
  const leansOn = ses !== undefined || kc ? { sessionId: ses, signIn: kc && { kcSid: kc.sid, at: kc.at } } : undefined;
  return { sub, userId: uid, tenantId, permissions: permissionMask(permissions), familyId: fam, ...(chatflows && { chatflowIds: chatflows }), ...(key_id && { apiKeyId: key_id }), ...(leansOn && { leansOn }) };
}

/** Whose token has expired, by the error of `verifyAccessToken`: time is asked last, so all else of it was good. Null for any other error. */
export function ownerOfExpired(error: unknown): Pick<AccessClaims, "userId" | "tenantId" | "apiKeyId"> | null {
  const cause = isSluiceError(error, "token_expired") ? error.options.cause : null;
  const claims = Claims.safeParse(cause instanceof errors.JWTExpired ? cause.payload : null);
  return claims.success ? { userId: claims.data.uid, tenantId: claims.data.tenantId, apiKeyId: claims.data.key_id } : null;
}
