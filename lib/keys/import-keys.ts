import { actorRef, type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { nowDate } from "@/lib/platform/clock";
import { db, isUniqueViolation, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { invalid, isSluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { confirmInvalidation, planInvalidation } from "@/lib/platform/records";
import { type FoundPerson, lookUpPerson, lookUpPersonById } from "@/lib/tenants";
import { staleKeyRecords } from "./key-records";
import { grantOf, keyFields } from "./key-view";
import { rateFor } from "./create-key";
import { type Bounds, findBounds, lockAsMaker, lockOwner, type Reach, requireExpiry, requireHeld, requireStillThere, requireWithinOwn } from "./policy";
import type { ImportedKey, ImportKeysInput, ImportResult } from "./schemas";
import { storedHashOf } from "./secret";

/**
 * Takes over keys of an earlier system by their SHA-256, so that they work unchanged. Each stands for itself: one that fails
 * takes no other with it. Keys that exist are no business of limits on creation, so neither how many a person may have nor
 * how long a key may live is asked; nobody gives more than they hold all the same.
 *
 * @returns a result per key, in their order
 * @throws SluiceError `insufficient_permission`; what goes wrong with one key is in its result, a store that is away is not
 */
export async function importKeys(ctx: Context, input: ImportKeysInput): Promise<ImportResult[]> {
  requirePermission(ctx, "admin:keys");
  const people = new Map<string, Promise<FoundPerson>>();
  const results: ImportResult[] = [];
  // One after the other: a thousand at once would leave no connection to anybody else.
  for (const [index, key] of input.keys.entries()) {
    const shared = { index, name: key.name };
    try {
      requirePrefix(key);
      const owner = await remembered(people, key);
      results.push({ ...shared, userId: owner.userId, ...(await importOne(ctx, key, owner, input.dryRun)) });
    } catch (error) {
      if (!isSluiceError(error) || ["store_unavailable", "internal_error"].includes(error.code)) throw error;
      results.push({ ...shared, status: "error", code: error.code, detail: error.detail });
    }
  }
  const seen = new Set<string>();
  return input.dryRun ? results.map((result, i) => (isTwice(seen, input.keys[i]) && result.status === "imported" ? { ...result, status: "exists" } : result)) : results;
}

function isTwice(seen: Set<string>, key: ImportedKey | undefined): boolean {
  const hash = key ? storedHashOf(key) : "";
  if (seen.has(hash)) return true;
  seen.add(hash);
  return false;
}

/** A key whose prefix the check does not know would never be found. */
function requirePrefix({ hashed, prefix }: ImportedKey): void {
  if (hashed === "afterPrefix" && !env().API_KEY_EARLIER_PREFIXES.includes(prefix ?? "")) throw invalid([{ pointer: "/prefix", detail: `must be one of API_KEY_EARLIER_PREFIXES (${env().API_KEY_EARLIER_PREFIXES.join(", ")})` }]);
}

/** A thousand keys may have few owners; each is looked up once, and a failure counts for all of theirs. */
function remembered(people: Map<string, Promise<FoundPerson>>, { userId, tenant = "", user = "" }: ImportedKey): Promise<FoundPerson> {
  const name = JSON.stringify([userId, tenant, user]);
  const found = people.get(name) ?? (userId ? lookUpPersonById(userId) : lookUpPerson(tenant, user));
  people.set(name, found);
  return found;
}

/** A key that imports passes on its own bounds where none are named, as one that creates does. */
function boundsOf(key: ImportedKey, acting: Bounds | null): Omit<Reach, "permissions"> {
  return {
    chatflowIds: key.chatflowIds === undefined ? (acting?.chatflowIds ?? []) : (key.chatflowIds ?? []),
    allowedIps: key.allowedIps ?? acting?.allowedIps ?? [],
    expiresAt: key.expiresAt === undefined ? (acting?.expiresAt ?? null) : key.expiresAt,
    ...rateFor(key.rateLimit, acting),
  };
}

type Outcome = Pick<ImportResult, "status" | "id" | "code" | "detail" | "grant">;

async function importOne(ctx: Context, key: ImportedKey, owner: FoundPerson, dryRun: boolean): Promise<Outcome> {
  const secretHash = storedHashOf(key);
  const known = await findByHash(secretHash, owner.userId);
  if (known) return known;
  const id = newId();
  try {
    const made = await transaction(async (tx) => {
      const acting = await findBounds(tx, ctx);
      const bounds = boundsOf(key, acting);
      requireHeld(ctx, key.permissions);
      requireWithinOwn(acting, bounds);
      requireExpiry(bounds.expiresAt, { createdAtMs: 0, lifetimeDays: undefined });
      if (dryRun) return null;
      // As every creation does: whoever is cut off meanwhile, owner or importer, leaves no key behind.
      await lockOwner(tx, owner.userId);
      await lockAsMaker(tx, ctx);
      await requireStillThere(tx, ctx);
      const { type, id: createdById } = actorRef(ctx);
      const start = key.start ?? key.prefix ?? "";
      const created = await tx.apiKey.create({
        data: {
          id, tenantId: owner.tenantId, userId: owner.userId, name: key.name, description: key.description ?? null, secretHash, start, last4: key.last4 ?? "", secretSince: nowDate(),
          permissions: key.permissions, ...bounds, createdByType: type, createdById,
        },
        select: keyFields,
      });
      await recordAudit(tx, ctx, {
        action: "key.imported", target: { type: "apiKey", id }, tenantId: owner.tenantId,
        data: { name: key.name, start, permissions: key.permissions, hashed: key.hashed, expiresAt: bounds.expiresAt?.toISOString() ?? null, chatflowIds: bounds.chatflowIds, allowedIps: bounds.allowedIps, ownerId: owner.userId },
      });
      // Whoever tried it before has made the checks remember that there is no such key.
      return { grant: grantOf(created), pending: await planInvalidation(tx, staleKeyRecords({ id, secretHash, version: 1 })) };
    });
    if (!made) return { status: "imported" };
    await confirmInvalidation(made.pending);
    return { status: "imported", id, grant: made.grant };
  } catch (error) {
    if (isUniqueViolation(error)) return (await findByHash(secretHash, owner.userId)) ?? { status: "error", code: "conflict", detail: "This key is known already." };
    throw error;
  }
}

/** Earlier secrets count too: a key that was imported and then rotated is not imported anew. */
async function findByHash(secretHash: string, ownerId: string): Promise<Outcome | null> {
  const key = (await db().apiKey.findUnique({ where: { secretHash }, select: { id: true, userId: true } }))
    ?? (await db().earlierSecret.findUnique({ where: { hash: secretHash }, select: { key: { select: { id: true, userId: true } } } }))?.key;
  if (!key) return null;
  if (key.userId !== ownerId) return { status: "error", code: "conflict", detail: "This key is known already, as somebody else's." };
  return { status: "exists", id: key.id };
}
