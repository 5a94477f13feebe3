import { type Context, requirePermission } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { db, type Prisma } from "@/lib/platform/db";
import { keyIn, ownKeys } from "./get-key";
import type { KeyReminder } from "./schemas";

const dayMs = 86_400_000;
const expirySoonDays = 14;
const expiredLatelyDays = 7;
const oldAfterDays = 90;
const overlapSoonDays = 3;
/** Of each kind; who has more hears of the rest when these are dealt with. */
const perKindMax = 200;

/**
 * What the owner should do about their keys before programs stop, most urgent first; empty when there is nothing. Disabled and revoked
 * keys remind of nothing: they stopped already, and on purpose.
 *
 * `at` is the end of the key (`expiring`, `expired_recently`), the birth of its secret (`old`: 90 days and more), or the end of the overlap
 * (`earlier_secret_used`: within 3 days, and the earlier secret was used since the rotation). A key may be named more than once.
 */
export async function listKeyReminders(ctx: Context, options: { apiKeyId?: string } = {}): Promise<KeyReminder[]> {
  requirePermission(ctx, "api-keys:read");
  const own = options.apiKeyId === undefined ? ownKeys(ctx) : keyIn(ownKeys(ctx), options.apiKeyId);
  const inDays = (days: number) => new Date(now() + days * dayMs);
  const soon = { gt: inDays(0), lte: inDays(expirySoonDays) };
  const lately = { gt: inDays(-expiredLatelyDays), lte: inDays(0) };
  const live = { ...own, revokedAt: null, disabledAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: inDays(0) } }] } satisfies Prisma.ApiKeyWhereInput;

  const [overlaps, ending, aged] = await Promise.all([
    db().earlierSecret.findMany({
      where: { tenantId: ctx.tenantId, overlapEndsAt: { gt: inDays(0), lte: inDays(overlapSoonDays) }, lastUsedAt: { gte: db().earlierSecret.fields.rotatedAt }, key: live },
      orderBy: { overlapEndsAt: "asc" }, take: perKindMax, select: { overlapEndsAt: true, key: { select: { id: true, name: true } } },
    }),
    db().apiKey.findMany({
      where: { ...own, revokedAt: null, disabledAt: null, OR: [{ expiresAt: soon }, { expiresAt: lately }] },
      orderBy: { expiresAt: "asc" }, take: perKindMax, select: { id: true, name: true, expiresAt: true },
    }),
    db().apiKey.findMany({ where: { ...live, secretSince: { lte: inDays(-oldAfterDays) } }, orderBy: { secretSince: "asc" }, take: perKindMax, select: { id: true, name: true, secretSince: true } }),
  ]);
  const reminder = (key: { id: string; name: string }, kind: KeyReminder["kind"], at: Date): KeyReminder => ({ apiKeyId: key.id, name: key.name, kind, at: at.toISOString() });
  return [
    ...overlaps.map(({ key, overlapEndsAt }) => reminder(key, "earlier_secret_used", overlapEndsAt)),
    ...ending.flatMap((key) => (key.expiresAt ? reminder(key, key.expiresAt.getTime() > now() ? "expiring" : "expired_recently", key.expiresAt) : [])),
    ...aged.map((key) => reminder(key, "old", key.secretSince)),
  ];
}
