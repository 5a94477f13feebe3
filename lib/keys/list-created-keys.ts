import { type Context, requirePermission } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { keyIn, ownKeys } from "./get-key";

export type CreatedByKey = { id: string; name: string; start: string; last4: string };

const shownMax = 100;

/** The keys that one of the caller's keys created, and those that these created, as far as they are not revoked: what `revokeKey` takes along with `cascade`. At most 100. */
export async function listCreatedKeys(ctx: Context, anyId: string): Promise<CreatedByKey[]> {
  requirePermission(ctx, "api-keys:read");
  const { tenantId, userId } = ownKeys(ctx);
  const { id } = keyIn({ tenantId, userId }, anyId);
  return db().$queryRaw<CreatedByKey[]>`
    WITH RECURSIVE family AS (
      SELECT id FROM "ApiKey" WHERE id = ${id}::uuid AND "tenantId" = ${tenantId}::uuid AND "userId" = ${userId}::uuid
      UNION
      SELECT k.id FROM "ApiKey" k JOIN family f ON k."createdByType" = 'apiKey' AND k."createdById" = f.id::text
      WHERE k."tenantId" = ${tenantId}::uuid AND k."userId" = ${userId}::uuid)
    SELECT id, name, start, last4 FROM "ApiKey" JOIN family USING (id) WHERE id <> ${id}::uuid AND "revokedAt" IS NULL ORDER BY "createdAt", id LIMIT ${shownMax}`;
}
