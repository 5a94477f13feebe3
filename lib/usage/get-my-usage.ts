import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { db, pool } from "@/lib/platform/db";
import { rangeOf, readSeries, type Series, type Sums } from "./read-series";
import { noKey, portalKey } from "./roll-up";
import type { MyUsageInput } from "./schemas";

/** What one key did in the range; without a key, what tokens of the person did, or the portal's own pages. */
export type KeyShare = Sums & { key: { id: string; name: string; start: string; last4: string } | null; portal: boolean };
export type RouteShare = { route: string; answered: number; errors: number };
export type MyUsage = Series & { keys: KeyShare[]; routes: RouteShare[] };

const listMax = 50;

/** Everything that one's keys and tokens came to, and the portal's own pages where asked, with what each key and each route had of it, the most used first (50 of each). */
export async function getMyUsage(ctx: Context, input: MyUsageInput): Promise<MyUsage> {
  requirePermission(ctx, "usage:read");
  const whose = { tenantId: ctx.tenantId, userId: requirePerson(ctx).userId };
  const range = rangeOf(input);
  const values = [whose.tenantId, whose.userId, range.fromMs / 1000, range.toMs / 1000, listMax, input.includePortal];
  const within = `"tenantId" = $1 AND "userId" = $2 AND hour >= to_timestamp($3::float8) AND hour < to_timestamp($4::float8) AND ($6 OR "apiKeyId" <> '${portalKey}')`;
  const [series, byKey, byRoute] = await Promise.all([
    readSeries({ ...whose, includePortal: input.includePortal }, range),
    pool().query<{ apiKeyId: string } & Record<keyof Sums, string>>(
      `SELECT "apiKeyId", sum(requests) AS requests, sum(refused) AS refused, sum(errors) AS errors, sum(credits) AS credits FROM "UsageRollup" WHERE ${within} GROUP BY 1 ORDER BY sum(requests) DESC, "apiKeyId" DESC LIMIT $5`, values),
    pool().query<{ route: string; answered: string; errors: string }>(
      `SELECT route, sum(answered) AS answered, sum(errors) AS errors FROM "UsageRollup" WHERE ${within} AND answered > 0 GROUP BY 1 ORDER BY 2 DESC, route LIMIT $5`, values),
  ]);
  const keys = await db().apiKey.findMany({ where: { ...whose, id: { in: byKey.rows.map((row) => row.apiKeyId).filter((id) => id !== noKey && id !== portalKey) } }, select: { id: true, name: true, start: true, last4: true } });
  return {
    ...series,
    keys: byKey.rows.map((row) => ({
      key: keys.find(({ id }) => id === row.apiKeyId) ?? null, portal: row.apiKeyId === portalKey,
      requests: Math.max(0, Number(row.requests)), refused: Number(row.refused), errors: Number(row.errors), credits: Number(row.credits),
    })),
    routes: byRoute.rows.map((row) => ({ route: row.route, answered: Number(row.answered), errors: Number(row.errors) })),
  };
}
