import { type Context, requirePermission, requirePerson } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { notFound } from "@/lib/platform/errors";
import { isUuid } from "@/lib/platform/ids";
import { rangeOf, readSeries } from "./read-series";
import type { KeyUsageView, UsageInput } from "./schemas";

/**
 * What one of one's own keys has done, by the hour or the day; steps without calls are zeros. The totals are the sums of the
 * series.
 *
 * @throws SluiceError `not_found`, for somebody else's key as well; `validation_failed` for an impossible range
 */
export async function getKeyUsage(ctx: Context, apiKeyId: string, input: UsageInput): Promise<KeyUsageView> {
  requirePermission(ctx, "usage:read");
  return read({ tenantId: ctx.tenantId, userId: requirePerson(ctx).userId }, apiKeyId, input);
}

/** The same of anybody's key, in administration. @throws SluiceError `insufficient_permission`, and as `getKeyUsage` */
export async function getAnyKeyUsage(ctx: Context, apiKeyId: string, input: UsageInput): Promise<KeyUsageView> {
  requirePermission(ctx, "admin:keys");
  return read({}, apiKeyId, input);
}

async function read(scope: { tenantId?: string; userId?: string }, apiKeyId: string, input: UsageInput): Promise<KeyUsageView> {
  const key = isUuid(apiKeyId) ? await db().apiKey.findFirst({ where: { id: apiKeyId, ...scope }, select: { id: true, tenantId: true, userId: true, lastUsedAt: true, lastRequestAt: true } }) : null;
  if (!key) throw notFound("There is no such API key.");
  const { sums, points } = await readSeries({ tenantId: key.tenantId, userId: key.userId, apiKeyId: key.id }, rangeOf(input));
  return {
    totalRequests: sums.requests, errors: sums.errors, rateLimited: sums.refused, creditsSpent: sums.credits,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null, lastRequestAt: key.lastRequestAt?.toISOString() ?? null, series: points,
  };
}
