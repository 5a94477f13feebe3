import { type Context, permissionMask, permissionsOf, requirePerson, roleMask } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { isSignInEnded, findSessionEnd } from "@/lib/sessions";
import type { FamilyView } from "./schemas";

/** More than this nobody reads through; "revoke all" reaches the rest. */
const familiesMax = 200;

/** The caller's programs that are signed in now, the latest first: how and from where, until when, and what they may do. */
export async function listFamilies(ctx: Context): Promise<FamilyView[]> {
  const person = requirePerson(ctx);
  const rows = await db().tokenFamily.findMany({
    where: { tenantId: ctx.tenantId, userId: person.userId, revokedAt: null, expiresAt: { gt: new Date(now()) } },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }], take: familiesMax,
    include: { tokens: { orderBy: { createdAt: "desc" }, take: 1, select: { ip: true, userAgent: true } } },
  });
  const keys = await db().apiKey.findMany({
    where: { tenantId: ctx.tenantId, id: { in: rows.flatMap((row) => row.apiKeyId ?? []) } },
    select: { id: true, name: true, start: true, last4: true, permissions: true, chatflowIds: true, revokedAt: true, disabledAt: true, expiresAt: true, secretGeneration: true },
  });
  const views = await Promise.all(rows.map(async (row): Promise<FamilyView | null> => {
    const key = keys.find((one) => one.id === row.apiKeyId);
    if (row.apiKeyId && (!key || key.revokedAt || (key.expiresAt && key.expiresAt.getTime() <= now()))) return null;
    if (row.sessionId !== null && (await findSessionEnd(row.sessionId)) === null) return null;
    if (row.kcAuthTime !== null && (await isSignInEnded({ issuer: person.issuer, sub: person.sub, kcSid: row.kcSid, signedInAt: row.kcAuthTime }))) return null;
    const mask = permissionMask(row.permissions) & roleMask(person.role) & (key ? permissionMask(key.permissions) : -1);
    const [last] = row.tokens;
    return {
      id: row.id, origin: row.origin as FamilyView["origin"], key: key ? { id: key.id, name: key.name, start: key.start, last4: key.last4 } : null,
      ip: last?.ip ?? row.ip, userAgent: last?.userAgent ?? row.userAgent, createdAt: row.createdAt.toISOString(), refreshedAt: row.refreshedAt?.toISOString() ?? null, expiresAt: row.expiresAt.toISOString(),
      permissions: permissionsOf(mask), chatflowCount: within(row.chatflowIds, key?.chatflowIds ?? []),
    };
  }));
  return views.filter((view) => view !== null);
}

/** How many chatflows are left when both lists are bounds; null without any bound. */
function within(own: string[], keys: string[]): number | null {
  if (own.length === 0) return keys.length === 0 ? null : keys.length;
  return keys.length === 0 ? own.length : own.filter((id) => keys.includes(id)).length;
}
