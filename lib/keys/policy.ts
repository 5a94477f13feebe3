import { type Context, covers, permissionMask, permissionsOf, type Role, roleMask } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import type { Tx } from "@/lib/platform/db";
import { invalid, SluiceError } from "@/lib/platform/errors";
import { limitsOf } from "@/lib/tenants";
import { isRangeInside, parseRange } from "./addresses";

const dayMs = 86_400_000;

/** Whose a key is, or will be. */
export type KeyOwner = { userId: string; tenantId: string };

/** How many live keys a person of this tenant may have, and how long a key may live: the tenant's word, else its plan's, else the operator's. */
export async function keyPolicy(tx: Tx, tenantId: string): Promise<{ keysPerUser: number; lifetimeDays: number | undefined }> {
  const { keysPerUser, keyMaxLifetimeDays } = await limitsOf(tx, tenantId);
  return { keysPerUser, lifetimeDays: keyMaxLifetimeDays };
}

/**
 * @param from `pointer`: the field that asked for it, when it is not `/expiresAt`
 * @throws SluiceError `validation_failed` for an expiry that lies behind us, or beyond what is allowed (no expiry included).
 */
export function requireExpiry(expiresAt: Date | null, from: { createdAtMs: number; lifetimeDays: number | undefined; pointer?: "/expiresIn" | undefined }): void {
  const { pointer = "/expiresAt" } = from;
  if (expiresAt && expiresAt.getTime() <= now()) throw invalid([{ pointer, detail: "must lie in the future" }]);
  if (from.lifetimeDays === undefined) return;
  if (!expiresAt || expiresAt.getTime() > from.createdAtMs + from.lifetimeDays * dayMs) throw invalid([{ pointer, detail: `must be at most ${from.lifetimeDays} days after the key's creation` }]);
}

/** Nobody gives away what they do not hold; what a key or its owner's role lacks now counts as not held. @throws SluiceError `permission_escalation` */
export function requireHeld(ctx: Context, permissions: readonly string[]): void {
  if (covers(ctx.permissions, permissions)) return;
  const missing = permissionsOf(permissionMask(permissions) & ~ctx.permissions);
  throw new SluiceError("permission_escalation", `You do not hold ${missing.join(", ")}.`, { extra: { permissions: missing }, decision: { check: "escalation", seen: [...permissions], limit: permissionsOf(ctx.permissions) } });
}

/** How far a key reaches; an empty list sets no bound. */
export type Reach = { permissions: string[]; chatflowIds: string[]; allowedIps: string[]; expiresAt: Date | null; rateRequests: number; /** Seconds. */ rateWindow: number };
/** What a caller may give; permissions and rate limit are there when it is a key that gives its own. */
export type Bounds = Omit<Reach, "permissions" | keyof Rate> & Partial<Pick<Reach, "permissions" | keyof Rate>>;
type Rate = Pick<Reach, "rateRequests" | "rateWindow">;

/**
 * What a key or token gives to a key that it makes or changes stays within its own: chatflows, addresses, expiry and rate limit, so that a leak
 * reaches no further, calls no faster and ends when the leaked key does. Only what is given is asked. People themselves have no such bounds (`own` null).
 * @throws SluiceError `permission_escalation`
 */
export function requireWithinOwn(own: Bounds | null, given: Partial<Omit<Reach, "permissions">>): void {
  if (!own) return;
  if (given.chatflowIds && !areChatflowsWithin(given.chatflowIds, own.chatflowIds)) throw escalation("You are limited to some chatflows, and cannot give others.", given.chatflowIds, own.chatflowIds);
  if (given.allowedIps && !areRangesWithin(given.allowedIps, own.allowedIps)) throw escalation("This key is limited to some addresses, and cannot give others.", given.allowedIps, own.allowedIps);
  if (given.expiresAt !== undefined && isLater(given.expiresAt, own.expiresAt)) throw escalation(`This key expires at ${own.expiresAt?.toISOString()} and cannot give a later expiry.`, given.expiresAt?.toISOString() ?? null, own.expiresAt?.toISOString() ?? null);
  const [ownRate, rate] = [rateOf(own), rateOf(given)];
  if (ownRate && rate && !isRateWithin(rate, ownRate)) throw escalation(`This key may make ${rateWords(ownRate)}, and cannot give a higher rate limit.`, rateWords(rate), rateWords(ownRate));
}

/** The limit, where both of its halves are there. */
function rateOf({ rateRequests, rateWindow }: Partial<Rate>): Rate | null {
  return rateRequests === undefined || rateWindow === undefined ? null : { rateRequests, rateWindow };
}

const rateWords = ({ rateRequests, rateWindow }: Rate) => `${rateRequests} requests in ${rateWindow} s`;

/** Whether no stretch of the own window can hold more calls than the own limit allows: neither in one burst nor by many short windows. */
function isRateWithin(wanted: Rate, own: Rate): boolean {
  return wanted.rateRequests * Math.ceil(own.rateWindow / wanted.rateWindow) <= own.rateRequests;
}

/** What a caller obtains for itself stays within what it has now: its permissions, and the chatflows that it is limited to. @throws SluiceError `permission_escalation` */
export function requireNarrower(caller: Context, wanted: { permissions?: readonly string[] | undefined; chatflowIds?: string[] | undefined }): void {
  if (wanted.permissions) requireHeld(caller, wanted.permissions);
  if (wanted.chatflowIds && caller.chatflowIds && !areChatflowsWithin(wanted.chatflowIds, [...caller.chatflowIds])) throw escalation("You are limited to some chatflows, and cannot give others.", wanted.chatflowIds, [...caller.chatflowIds]);
}

/**
 * Who hands out a secret of a key, or lets it do more than before, must reach as far as the whole key does: else a narrow key would make
 * itself a wide one out of another. What the key's owner may not do now does not count.
 * @throws SluiceError `permission_escalation`
 */
export function requireWholeWithinOwn(ctx: Context, own: Bounds | null, key: Reach, ownerRole: Role | null): void {
  requireHeld(ctx, permissionsOf(permissionMask(key.permissions) & roleMask(ownerRole)));
  requireWithinOwn(own, key);
}

/** Whether a change lets a key do anything that it could not do before. */
export function widens(before: Reach & { disabledAt: Date | null }, after: Reach & { disabledAt: Date | null }): boolean {
  return !covers(permissionMask(before.permissions), after.permissions) || !areChatflowsWithin(after.chatflowIds, before.chatflowIds) || !areRangesWithin(after.allowedIps, before.allowedIps)
    || isLater(after.expiresAt, before.expiresAt) || !isRateWithin(after, before) || (before.disabledAt !== null && after.disabledAt === null);
}

function areChatflowsWithin(wanted: string[], own: string[]): boolean {
  return own.length === 0 || (wanted.length > 0 && wanted.every((id) => own.includes(id)));
}

function areRangesWithin(wanted: string[], own: string[]): boolean {
  if (own.length === 0) return true;
  const packed = (text: string) => parseRange(text)?.packed ?? "";
  const outer = own.map(packed);
  return wanted.length > 0 && wanted.every((text) => outer.some((range) => isRangeInside(packed(text), range)));
}

/** No expiry is later than any. */
const isLater = (wanted: Date | null, own: Date | null) => own !== null && (wanted === null || wanted > own);

function escalation(detail: string, seen: string | string[] | null, limit: string | string[] | null): SluiceError {
  return new SluiceError("permission_escalation", detail, { decision: { check: "escalation", seen, limit } });
}

/**
 * What bounds the caller: the key that makes the call, if it is one, and the token that stands for it or for a person. A key's row is held until
 * the transaction ends: a key that is being revoked with all that it created cannot slip in one more. Only `lockKeys` waits for that, the count of
 * its calls does not.
 * @throws SluiceError `key_revoked`; `permission_escalation` for a token whose chatflows its key no longer has: none can be given, and an empty list would be all
 */
export async function findBounds(tx: Tx, ctx: Context): Promise<Bounds | null> {
  const key = await findActingKey(tx, ctx);
  if (!ctx.chatflowIds) return key;
  const chatflowIds = ctx.chatflowIds.filter((id) => !key?.chatflowIds.length || key.chatflowIds.includes(id));
  if (chatflowIds.length === 0) throw escalation("You are limited to chatflows that your key does not have.", null, [...ctx.chatflowIds]);
  return key ? { ...key, chatflowIds } : { chatflowIds, allowedIps: [], expiresAt: null };
}

async function findActingKey(tx: Tx, ctx: Context): Promise<Reach | null> {
  if (ctx.actor.type !== "apiKey") return null;
  const [key] = await tx.$queryRaw<(Reach & { revokedAt: Date | null })[]>`
    SELECT permissions, "chatflowIds", "allowedIps", "expiresAt", "rateRequests", "rateWindow", "revokedAt" FROM "ApiKey" WHERE id = ${ctx.actor.apiKeyId}::uuid AND "tenantId" = ${ctx.tenantId}::uuid FOR KEY SHARE`;
  if (!key || key.revokedAt) throw new SluiceError("key_revoked", "This API key was revoked.");
  return key;
}

/** Held to the end of the transaction by whoever adds a key to a person's or ends them all. Keys are locked before it, where both are. */
export async function lockOwner(tx: Tx, userId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`keys:${userId}`}, 0))`;
}

const makerLock = (userId: string) => `keys-by:${userId}`;

/** Held by a creation to its end, beside others of the same maker: whoever revokes all that a person made waits for it. Taken after the owner's lock. */
export async function lockAsMaker(tx: Tx, { actor }: Context): Promise<void> {
  if (actor.type !== "user" && actor.type !== "apiKey") return;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock_shared(hashtextextended(${makerLock(actor.person.userId)}, 0))`;
}

/** Waits for every creation by this person, and lets none begin before the transaction ends. */
export async function lockMaker(tx: Tx, userId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${makerLock(userId)}, 0))`;
}

/**
 * Asks again, behind the owner's lock, whether the caller may still act: many creations may have waited there since the door let them in, and somebody
 * may have been cut off meanwhile. Of a key `findBounds` has asked. Redis is asked within the transaction, since an answer from before the lock is worth nothing.
 * @throws SluiceError `owner_disabled`, `invalid_credentials`, and as the context's `refuseIfEnded`
 */
export async function requireStillThere(tx: Tx, ctx: Context): Promise<void> {
  const { actor } = ctx;
  if (actor.type !== "user" && actor.type !== "apiKey") return;
  const familyId = actor.type === "apiKey" ? actor.familyId : actor.credential.kind === "gateway" ? actor.credential.familyId : undefined;
  const [found] = await tx.$queryRaw<{ isActive: boolean; tokenEnded: boolean }[]>`
    SELECT "isActive", EXISTS (SELECT 1 FROM "TokenFamily" WHERE id = ${familyId ?? null}::uuid AND "revokedAt" IS NOT NULL) AS "tokenEnded" FROM "User" WHERE id = ${actor.person.userId}::uuid`;
  if (!found?.isActive) throw new SluiceError("owner_disabled", "Your access is switched off.");
  if (found.tokenEnded) throw new SluiceError("invalid_credentials", "This token was revoked.");
  await ctx.refuseIfEnded?.();
}

/**
 * Makes sure that one more key may live. The lock is held to the end of the transaction, so that creations at once
 * cannot pass the limit together.
 * @throws SluiceError `key_limit_reached`
 */
export async function requireRoomForKey(tx: Tx, { userId, tenantId }: KeyOwner, keysPerUser: number): Promise<void> {
  await lockOwner(tx, userId);
  const live = await tx.apiKey.count({ where: { tenantId, userId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date(now()) } }] } });
  if (live >= keysPerUser) throw new SluiceError("key_limit_reached", `There are ${live} live API keys, and ${keysPerUser} is the most. Revoke one first.`, { decision: { check: "key_limit", seen: live, limit: keysPerUser } });
}
