import { type Context, requirePerson } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { countFailure, hashSecret, limitFailures } from "@/lib/keys";
import { db, transaction } from "@/lib/platform/db";
import { invalid, notFound, SluiceError } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { loadPersonState } from "@/lib/tenants";
import { confirmEnded, endFamilies, revokeTokensOf } from "./end-families";
import { type Caller, familyContext } from "./family";
import type { RevokeAnswer, RevokeInput } from "./schemas";

/**
 * Ends tokens: those of one sign-in, named by a refresh token of it (who has it needs no other credential, RFC 7009) or by its id; all of the caller's, which
 * for a key are those obtained with it; or, with nothing named, those that the call came with. When this returns, no replica takes an access token of theirs.
 * A refresh token that is not the caller's, or ended before, counts as nothing to do (RFC 7009); an id that is not is `not_found`.
 *
 * @throws SluiceError `missing_credentials`, `not_found`, `validation_failed`, `rate_limited`; `store_unavailable` when Redis does not confirm: the outbox carries it out
 */
export async function revokeTokens(who: Context | Caller, input: RevokeInput): Promise<RevokeAnswer> {
  const ctx = "actor" in who ? who : null;
  if (input.refresh_token !== undefined) return answerOf(await byRefreshToken(who, ctx, input.refresh_token));
  if (!ctx) throw new SluiceError("missing_credentials", "Send an access token or an API key, or the refresh token that is to be revoked.");
  if (input.all === true || input.all_tokens === true) return answerOf(await revokeAll(ctx));
  const own = ownFamilyOf(ctx);
  const named = input.token_id ?? own;
  if (named === undefined) throw invalid([{ pointer: "", detail: "must name refresh_token, token_id or all" }]);
  return answerOf(await revokeOne(ctx, named));
}

/** Ends one of the caller's own sign-ins of programs. */
export async function revokeFamily(ctx: Context, input: { id: string }): Promise<RevokeAnswer> {
  return answerOf(await revokeOne(ctx, input.id));
}

/** Ends all of them. */
export async function revokeAllFamilies(ctx: Context): Promise<RevokeAnswer> {
  return answerOf(await revokeAll(ctx));
}

async function byRefreshToken(caller: Caller, ctx: Context | null, refreshToken: string): Promise<number> {
  // Whoever guesses tokens must not make the database work for every guess.
  await limitFailures(caller.ip);
  const token = await db().refreshToken.findUnique({ where: { hash: hashSecret(refreshToken) }, select: { family: { select: { id: true, userId: true, apiKeyId: true } } } });
  if (!token) {
    await countFailure(caller.ip);
    return 0;
  }
  const { family } = token;
  if (ctx && !isOwn(ctx, family)) return 0;
  if (ctx) return (await endOne(ctx, { id: family.id, userId: family.userId })).count;
  const person = (await loadPersonState(family.userId))?.person;
  return person ? (await endOne(familyContext(family, person, caller), { id: family.id, userId: family.userId })).count : 0;
}

async function revokeOne(ctx: Context, id: string): Promise<number> {
  const { userId } = requirePerson(ctx);
  // Without a mark an id is a sign-in's; an access token's says the sign-in first.
  const [familyId = ""] = id.split(".");
  const ended = isUuid(familyId) ? await endOne(ctx, { id: familyId, userId, ...keyOf(ctx) }) : null;
  if (!ended || ended.found === 0) throw notFound("There is no such sign-in of yours, or this credential may not end it.");
  return ended.count;
}

async function endOne(ctx: Context, which: { id: string; userId: string; apiKeyId?: string }): Promise<{ count: number; found: number }> {
  const ended = await transaction(async (tx) => {
    const found = await endFamilies(tx, which, "revoked");
    if (found.familyIds.length > 0) await recordAudit(tx, ctx, { action: "token.revoked", target: { type: "tokenFamily", id: which.id } });
    return found;
  });
  await confirmEnded(ended);
  return { count: ended.familyIds.length, found: ended.found };
}

async function revokeAll(ctx: Context): Promise<number> {
  const { userId } = requirePerson(ctx);
  const { apiKeyId } = keyOf(ctx);
  if (apiKeyId === undefined) {
    const { count, pending } = await transaction((tx) => revokeTokensOf(tx, ctx, userId, "revoked"));
    await confirmEnded({ pending });
    return count;
  }
  const ended = await transaction(async (tx) => {
    const found = await endFamilies(tx, { userId, apiKeyId }, "revoked");
    if (found.familyIds.length > 0) await recordAudit(tx, ctx, { action: "token.revoked", target: { type: "apiKey", id: apiKeyId }, data: { count: found.familyIds.length } });
    return found;
  });
  await confirmEnded(ended);
  return ended.familyIds.length;
}

/** A key reaches what was obtained with it, and a person all that is theirs. */
function keyOf({ actor }: Context): { apiKeyId?: string } {
  return actor.type === "apiKey" ? { apiKeyId: actor.apiKeyId } : {};
}

function isOwn(ctx: Context, family: { userId: string; apiKeyId: string | null }): boolean {
  const { apiKeyId } = keyOf(ctx);
  return family.userId === requirePerson(ctx).userId && (apiKeyId === undefined || apiKeyId === family.apiKeyId);
}

function ownFamilyOf({ actor }: Context): string | undefined {
  if (actor.type === "apiKey") return actor.familyId;
  return actor.type === "user" && actor.credential.kind === "gateway" ? actor.credential.familyId : undefined;
}

function answerOf(count: number): RevokeAnswer {
  const message = count === 0 ? "There was nothing to revoke." : count === 1 ? "One sign-in ended, with its tokens." : `${count} sign-ins ended, with their tokens.`;
  return { message, revoked_count: count, revoked_tokens: count };
}
