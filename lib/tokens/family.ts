import type { CallTrace, Context, Person } from "@/lib/access";
import { newSecret } from "@/lib/keys";
import { now, nowDate } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { newId } from "@/lib/platform/ids";
import type { LeansOn } from "./leans-on";

/** Where a sign-in came from; kept for audit. */
export type Caller = { requestId: string; ip: string | null; userAgent: string | null; call?: CallTrace };

/** Refresh tokens look like our keys (256 random bits, a checksum), so that the same scanners find them; stored as SHA-256 only. */
export const refreshPrefix = "srt";

/** How a program's tokens were obtained. */
export type Origin = "password" | "apiKey" | "session" | "keycloak";

export type NewFamily = {
  id: string;
  person: Person;
  origin: Origin;
  apiKeyId: string | null;
  secretGeneration?: number | undefined;
  permissions: string[];
  chatflowIds?: readonly string[] | undefined;
  leansOn?: LeansOn;
  /** No refresh token of it lasts longer, in ms. */
  endsAtMs?: number | undefined;
};

export type NewRefreshToken = { value: string; lastsSeconds: number };

/** A new refresh token in a family, which lives as long as its newest one. */
export async function addRefreshToken(tx: Tx, family: { id: string; endsAt: Date | null }, caller: Caller, options: { refreshed: boolean }): Promise<NewRefreshToken> {
  const secret = newSecret(refreshPrefix);
  const leftSeconds = family.endsAt ? Math.max(0, Math.floor((family.endsAt.getTime() - now()) / 1000)) : Infinity;
  const lastsSeconds = Math.min(env().TOKEN_REFRESH_TTL_SECONDS, leftSeconds);
  const expiresAt = new Date(now() + lastsSeconds * 1000);
  await tx.refreshToken.create({ data: { id: newId(), familyId: family.id, hash: secret.hash, createdAt: nowDate(), expiresAt, ip: caller.ip, userAgent: caller.userAgent?.slice(0, 400) ?? null } });
  await tx.tokenFamily.update({ where: { id: family.id }, data: { expiresAt, ...(options.refreshed && { refreshedAt: nowDate() }) } });
  return { value: secret.value, lastsSeconds };
}

/** Starts a family: one sign-in by a program. */
export async function addFamily(tx: Tx, family: NewFamily, caller: Caller): Promise<NewRefreshToken> {
  const { id, person, origin, apiKeyId, secretGeneration = null, permissions, chatflowIds = [], leansOn = {}, endsAtMs } = family;
  const endsAt = endsAtMs === undefined ? null : new Date(endsAtMs);
  await tx.tokenFamily.create({
    data: {
      id, tenantId: person.tenantId, userId: person.userId, origin, apiKeyId, secretGeneration, permissions, chatflowIds: [...chatflowIds], endsAt, ip: caller.ip, userAgent: caller.userAgent?.slice(0, 400) ?? null,
      sessionId: leansOn.sessionId ?? null, kcSid: leansOn.signIn?.kcSid ?? null, kcAuthTime: leansOn.signIn?.at ?? null, createdAt: nowDate(), expiresAt: nowDate(),
    },
  });
  return addRefreshToken(tx, { id, endsAt }, caller, { refreshed: false });
}

/** Who acts when a family's tokens are made or used: the key, or the person. */
export function familyContext(family: { id: string; apiKeyId: string | null }, person: Person, caller: Caller): Context {
  return {
    ...caller,
    tenantId: person.tenantId,
    permissions: 0,
    actor: family.apiKeyId
      ? { type: "apiKey", apiKeyId: family.apiKeyId, person, rateLimit: { requests: 1, window: 1 }, familyId: family.id }
      : { type: "user", person, credential: { kind: "gateway", familyId: family.id } },
  };
}
