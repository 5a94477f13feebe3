import { permissionMask } from "@/lib/access";
import { checkCall, countFailure, hashSecret, limitFailures, noteCaller } from "@/lib/keys";
import { now, nowDate } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { SluiceError } from "@/lib/platform/errors";
import { confirmInvalidation, type PendingInvalidation } from "@/lib/platform/records";
import { loadPersonState } from "@/lib/tenants";
import { addRefreshToken, type Caller, familyContext, revokeFamily } from "./family";
import type { RefreshInput, TokenAnswer } from "./schemas";
import { tokenAnswer } from "./token-answer";

type Found = { id: string; familyId: string; spentAt: Date | null; family: { id: string; userId: string; apiKeyId: string | null; permissions: string[] } };
type Rotation = { kind: "rotated"; refreshToken: string } | { kind: "reused"; pending: PendingInvalidation } | { kind: "expired" } | { kind: "revoked" };

/**
 * Trades a refresh token for a new pair. Each is good once: a second use means that two have it, nobody can tell which
 * of them is the thief, so the whole family ends, with its access tokens, at once (RFC 9700, section 4.14.2). That holds
 * for two uses at the same moment as well: a client must not refresh twice in parallel.
 *
 * @throws SluiceError `invalid_credentials`, `rate_limited`, `token_expired`, and whatever the check of owner and key refuses with
 */
export async function refresh(caller: Caller, input: RefreshInput): Promise<TokenAnswer> {
  // Whoever guesses tokens must not make the database work for every guess.
  await limitFailures(caller.ip);
  const token = await db().refreshToken.findUnique({
    where: { hash: hashSecret(input.refresh_token) },
    select: { id: true, familyId: true, spentAt: true, family: { select: { id: true, userId: true, apiKeyId: true, permissions: true } } },
  });
  if (!token) {
    await countFailure(caller.ip);
    throw refused();
  }
  const { family } = token;

  // A spent one goes straight on to the theft alarm, whatever has become of the owner.
  const verdict = token.spentAt ? null : await checkCall(
    family.apiKeyId ? { kind: "key", apiKeyId: family.apiKeyId, familyId: family.id } : { kind: "user", userId: family.userId, familyId: family.id },
    { ip: caller.ip, requestId: caller.requestId },
  );
  if (verdict) noteCaller(caller.call, verdict);
  if (verdict && !verdict.ok) throw verdict.error;
  const person = verdict?.person ?? (await loadPersonState(family.userId))?.person;
  if (!person) throw refused();

  const rotation = await rotate(token, familyContext(family, person, caller), caller);
  if (rotation.kind === "reused") await confirmInvalidation(rotation.pending);
  if (rotation.kind === "expired") throw new SluiceError("token_expired", "The refresh token has expired. Sign in again.");
  if (rotation.kind !== "rotated" || !verdict) throw refused();
  const permissions = verdict.permissions & permissionMask(family.permissions);
  return tokenAnswer({ person, permissions, family, refreshToken: rotation.refreshToken, message: "Refreshed." });
}

/** One at a time per family: the row lock makes the second of two see the first one's spending. */
function rotate(token: Found, ctx: ReturnType<typeof familyContext>, caller: Caller): Promise<Rotation> {
  return transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "TokenFamily" WHERE id = ${token.familyId}::uuid FOR UPDATE`;
    const current = await tx.refreshToken.findUniqueOrThrow({ where: { id: token.id }, include: { family: { select: { id: true, version: true, revokedAt: true } } } });
    if (current.family.revokedAt) return { kind: "revoked" };
    if (current.spentAt) return { kind: "reused", pending: await revokeFamily(tx, ctx, current.family, "reuse") };
    if (current.expiresAt.getTime() <= now()) return { kind: "expired" };
    await tx.refreshToken.update({ where: { id: token.id }, data: { spentAt: nowDate() } });
    return { kind: "rotated", refreshToken: await addRefreshToken(tx, token.familyId, caller) };
  });
}

const refused = () => new SluiceError("invalid_credentials", "The refresh token is not valid. Sign in again.");
