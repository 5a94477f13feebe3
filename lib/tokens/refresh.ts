import { permissionMask } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { checkCall, countFailure, hashSecret, limitFailures, noteCaller, noteRefused } from "@/lib/keys";
import { now, nowDate } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { metrics } from "@/lib/platform/metrics";
import { loadPersonState } from "@/lib/tenants";
import { confirmEnded, endFamilies, type Ended, revokeTokensOf } from "./end-families";
import { addRefreshToken, type Caller, familyContext, type NewRefreshToken } from "./family";
import { leansOnOf, refuseEnded } from "./leans-on";
import type { RefreshInput, TokenAnswer, TokenPair } from "./schemas";
import { chatAnswerOf, type Issued, pairOf } from "./token-answer";

const familyFields = { id: true, userId: true, apiKeyId: true, permissions: true, chatflowIds: true, sessionId: true, kcSid: true, kcAuthTime: true } as const;
type Found = { id: string; familyId: string; family: { userId: string } };
type Rotation = { kind: "rotated"; refreshToken: NewRefreshToken } | { kind: "reused"; ended: Ended; /** Set when the alarm was raised before. */ raisedAt: Date | null } | { kind: "expired" } | { kind: "revoked" };

/**
 * Trades a refresh token for a new pair. Each is good once: a second use means that two have it, nobody can tell which
 * of them is the thief, so the whole family ends, with its access tokens, at once (RFC 9700, section 4.14.2). That holds
 * for two uses at the same moment as well: a client must not refresh twice in parallel.
 *
 * @throws SluiceError `invalid_credentials`, `rate_limited`, `token_expired`, and whatever the check of owner and key refuses with
 */
export async function refresh(caller: Caller, input: RefreshInput): Promise<TokenAnswer> {
  return chatAnswerOf(await redeem(caller, input), "Refreshed.");
}

/** The same in the words of the token exchange. */
export async function refreshPair(caller: Caller, input: RefreshInput): Promise<TokenPair> {
  return pairOf(await redeem(caller, input));
}

async function redeem(caller: Caller, input: RefreshInput): Promise<Issued> {
  // Whoever guesses tokens must not make the database work for every guess.
  await limitFailures(caller.ip);
  const token = await db().refreshToken.findUnique({
    where: { hash: hashSecret(input.refresh_token) },
    select: { id: true, familyId: true, spentAt: true, family: { select: familyFields } },
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
  if (verdict) await refuseEnded(leansOnOf(family), person);
  else noteRefused(caller.call, { ...person, apiKeyId: family.apiKeyId });

  const rotation = await rotate(token, familyContext(family, person, caller), caller);
  if (rotation.kind === "reused") await alarm(token, familyContext(family, person, caller), rotation);
  if (rotation.kind === "expired") throw new SluiceError("token_expired", "The refresh token has expired. Sign in again.");
  if (rotation.kind !== "rotated" || !verdict) throw refused();
  metrics.tokenFamilies.inc({ event: "refreshed" });
  const permissions = verdict.permissions & permissionMask(family.permissions);
  return { person, permissions, family: { ...family, leansOn: leansOnOf(family) }, refreshToken: rotation.refreshToken };
}

/** One at a time per family: the row lock makes the second of two see the first one's spending. */
function rotate(token: Found, ctx: ReturnType<typeof familyContext>, caller: Caller): Promise<Rotation> {
  return transaction(async (tx) => {
    await tx.$queryRaw`SELECT 1 FROM "TokenFamily" WHERE id = ${token.familyId}::uuid FOR UPDATE`;
    const current = await tx.refreshToken.findUniqueOrThrow({ where: { id: token.id }, include: { family: { select: { id: true, endsAt: true, revokedAt: true, revokedReason: true } } } });
    const { revokedAt, revokedReason } = current.family;
    if (revokedAt && !(current.spentAt && revokedReason === "reuse")) return { kind: "revoked" };
    if (current.spentAt) {
      if (!revokedAt) await recordAudit(tx, ctx, { action: "token.reuse_detected", target: { type: "tokenFamily", id: token.familyId }, data: { reason: "reuse", scope: env().TOKEN_REUSE_SCOPE } });
      return { kind: "reused", ended: await endFamilies(tx, { id: token.familyId, userId: token.family.userId }, "reuse"), raisedAt: revokedAt };
    }
    if (current.expiresAt.getTime() <= now()) return { kind: "expired" };
    await tx.refreshToken.update({ where: { id: token.id }, data: { spentAt: nowDate() } });
    return { kind: "rotated", refreshToken: await addRefreshToken(tx, current.family, caller, { refreshed: true }) };
  });
}

/**
 * The family has ended with the alarm; where the operator says so, the person's other programs end too, in a transaction of their own: two alarms at once would
 * else wait for each other's rows. Nothing is confirmed before both are written. An alarm that was cut short is finished when the token comes again, and ends
 * nothing that was obtained since.
 */
async function alarm(token: Found, ctx: ReturnType<typeof familyContext>, { ended, raisedAt }: Extract<Rotation, { kind: "reused" }>): Promise<void> {
  const others = env().TOKEN_REUSE_SCOPE === "user" ? await transaction((tx) => revokeTokensOf(tx, ctx, token.family.userId, "reuse", { startedUntil: raisedAt ?? undefined })) : null;
  await confirmEnded(ended);
  if (others) await confirmEnded(others);
}

const refused = () => new SluiceError("invalid_credentials", "The refresh token is not valid. Sign in again.");
