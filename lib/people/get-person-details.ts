import { type Context, requirePermission } from "@/lib/access";
import { nowDate } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { isSluiceError } from "@/lib/platform/errors";
import { countSessionsOf } from "@/lib/sessions";
import { readPersonRow } from "./list-people";
import type { PersonDetails } from "./schemas";

/** In administration, of any tenant. @throws SluiceError `not_found` */
export async function getPersonDetails(ctx: Context, userId: string): Promise<PersonDetails> {
  requirePermission(ctx, "admin:users");
  const row = await readPersonRow(userId);
  const { id } = row;
  const more = await db().user.findUniqueOrThrow({ where: { id }, select: { issuer: true, sub: true, tenantId: true, emailVerified: true, keptOutAt: true, keycloakStateAt: true, grant: { select: { status: true, statusReason: true, lastUsedAt: true, absDeadlineAt: true } } } });
  const { issuer, sub, tenantId, grant } = more;
  const [sessions, programs, keysLeftBehind] = await Promise.all([
    countSessionsOf({ iss: issuer, sub }).catch((error: unknown) => {
      if (isSluiceError(error, "store_unavailable")) return null;
      throw error;
    }),
    db().tokenFamily.count({ where: { userId: id, revokedAt: null, expiresAt: { gt: nowDate() } } }),
    db().apiKey.count({ where: { userId: id, revokedAt: null, tenantId: { not: tenantId } } }),
  ]);
  const iso = (at: Date | null | undefined) => at?.toISOString() ?? null;
  return {
    ...row, emailVerified: more.emailVerified, tenantId, keptOutAt: iso(more.keptOutAt), keycloakStateAt: iso(more.keycloakStateAt), sessions, programs, keysLeftBehind,
    grant: { status: grant && grant.statusReason !== "deleted" ? grant.status : "missing", lastUsedAt: iso(grant?.lastUsedAt), actsUntil: iso(grant?.absDeadlineAt) },
  };
}
