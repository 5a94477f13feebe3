import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { db, type Prisma } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { anyKeyFields, anyViewOf, keyFields, viewOf } from "./key-view";
import type { AnyKeyView, ApiKeyView } from "./schemas";

/** Whose keys a verb may touch: a Prisma condition that it adds to its own. */
export type KeyScope = { tenantId?: string; userId?: string };

/** One's own keys, which is all that anybody sees outside of administration. */
export function ownKeys(ctx: Context): { tenantId: string; userId: string } {
  return { tenantId: ctx.tenantId, userId: requirePerson(ctx).userId };
}

/** Everybody's keys. @throws SluiceError `insufficient_permission` */
export function anyKeys(ctx: Context): KeyScope {
  requirePermission(ctx, "admin:keys");
  return {};
}

/** Where one key of a scope is. @throws SluiceError `not_found` for what cannot be an id */
export function keyIn(scope: KeyScope, id: string): Prisma.ApiKeyWhereInput & { id: string } {
  if (!isUuid(id)) throw noSuchKey();
  return { id: id.toLowerCase(), ...scope };
}

export const noSuchKey = () => notFound("There is no such API key.");

/** @throws SluiceError `not_found`, for somebody else's key as well */
export async function getKey(ctx: Context, id: string): Promise<ApiKeyView> {
  requirePermission(ctx, "api-keys:read");
  return readKey(keyIn(ownKeys(ctx), id));
}

/** In administration, with whose it is. @throws SluiceError `insufficient_permission`, `not_found` */
export async function getAnyKey(ctx: Context, id: string): Promise<AnyKeyView> {
  const key = await db().apiKey.findFirst({ where: keyIn(anyKeys(ctx), id), select: anyKeyFields });
  if (!key) throw noSuchKey();
  return anyViewOf(key);
}

/** @throws SluiceError `not_found` */
export async function readKey(where: Prisma.ApiKeyWhereInput): Promise<ApiKeyView> {
  const key = await db().apiKey.findFirst({ where, select: keyFields });
  if (!key) throw noSuchKey();
  return viewOf(key);
}
