import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { db, type Prisma } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { keyFields, viewOf } from "./key-view";
import type { ApiKeyView } from "./schemas";

/** One's own keys, which is all that anybody sees outside of administration. */
export function ownKeys(ctx: Context): { tenantId: string; userId: string } {
  return { tenantId: ctx.tenantId, userId: requirePerson(ctx).userId };
}

/** Where one of one's own keys is. @throws SluiceError `not_found` for what cannot be an id */
export function ownKey(ctx: Context, id: string): Prisma.ApiKeyWhereInput & { id: string } {
  if (!isUuid(id)) throw noSuchKey();
  return { id, ...ownKeys(ctx) };
}

export const noSuchKey = () => notFound("There is no such API key.");

/** @throws SluiceError `not_found`, for somebody else's key as well */
export async function getKey(ctx: Context, id: string): Promise<ApiKeyView> {
  requirePermission(ctx, "api-keys:read");
  const key = await db().apiKey.findFirst({ where: ownKey(ctx, id), select: keyFields });
  if (!key) throw noSuchKey();
  return viewOf(key);
}
