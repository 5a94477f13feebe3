import { type Context, permissionMask, requirePermission } from "@/lib/access";
import type { Tx } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { lookUpPerson } from "@/lib/tenants";
import { type CreatedKeyFor, createKeyFor } from "./create-key";
import type { CreateAnyKeyInput } from "./schemas";

/**
 * Creates a key for somebody else, whom Keycloak is asked about when they were never here. Nobody gives more than they hold;
 * what the key may do is cut to its owner's role at each call, so a viewer's key can look and predict and nothing else.
 *
 * The bootstrap token makes the first key that a tenant ever has, and no second: with that key its administrator goes on.
 *
 * @throws SluiceError `not_found`, `conflict`, `identity_unavailable` as `lookUpPerson`; `conflict` for a second first key; and as `createKey`
 */
export async function createAnyKey(ctx: Context, { tenant, user, ...input }: CreateAnyKeyInput): Promise<CreatedKeyFor> {
  if (ctx.actor.type !== "bootstrap") {
    requirePermission(ctx, "admin:keys");
    return createKeyFor(ctx, await lookUpPerson(tenant, user), input);
  }
  const owner = await lookUpPerson(tenant, user);
  // The operator holds the server, and with it everything.
  return createKeyFor({ ...ctx, permissions: permissionMask(["*"]) }, owner, input, (tx) => requireNoKeyYet(tx, owner.tenantId));
}

/** The tenant's row is held until the end, so that two first keys cannot be made at once. */
async function requireNoKeyYet(tx: Tx, tenantId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "Tenant" WHERE id = ${tenantId}::uuid FOR NO KEY UPDATE`;
  if (await tx.apiKey.findFirst({ where: { tenantId }, select: { id: true } })) throw new SluiceError("conflict", "This tenant has had its first API key. Whoever holds admin:keys makes the others.");
}
