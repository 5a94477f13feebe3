import type { PoolClient } from "pg";
import type { CallRow } from "./call-record";
import { bucketOf } from "./histogram";
import { isError, isRefusal } from "./schemas";
import type { Check } from "./stream";

/** Stands where a call of a person came without a key. */
export const noKey = "00000000-0000-0000-0000-000000000000";
/** Stands where the portal's own pages called. */
export const portalKey = "00000000-0000-0000-0000-000000000001";
/** Of the row that has what a key's checks counted, which know no route. */
const wholeKey = "";
const hourMs = 3_600_000;
const hourOf = (atMs: number) => Math.floor(atMs / hourMs) * hourMs;

type KeyHour = { id: string; hour: number; requests: number; refused: number };
type RouteHour = { tenantId: string; userId: string; apiKeyId: string; route: string; hour: number; requests: number; refused: number; answered: number; errors: number; credits: number; latency: number[] };

/**
 * Adds up by hour; `prisma/schema.prisma` says what each column counts. A key's requests and refusals are its checks',
 * so that they are exact whatever becomes of the process that answered; the rest is told by the calls themselves, also which of them
 * were refused after the check had admitted them.
 */
export async function rollUp(client: PoolClient, checks: Check[], calls: CallRow[]): Promise<void> {
  const keyHours = byKey(checks);
  if (keyHours.length > 0) {
    await client.query(
      `INSERT INTO "UsageRollup" AS u ("tenantId", "userId", "apiKeyId", route, hour, requests, refused)
       SELECT k."tenantId", k."userId", k.id, '${wholeKey}', to_timestamp(v.hour / 1000), v.requests, v.refused
       FROM jsonb_to_recordset($1) AS v(id uuid, hour bigint, requests bigint, refused bigint) JOIN "ApiKey" k ON k.id = v.id
       ON CONFLICT ("apiKeyId", hour, "userId", route) DO UPDATE SET requests = u.requests + EXCLUDED.requests, refused = u.refused + EXCLUDED.refused`,
      [JSON.stringify(keyHours)],
    );
  }
  const routeHours = byRoute(calls);
  if (routeHours.length === 0) return;
  await client.query(
    `INSERT INTO "UsageRollup" AS u ("tenantId", "userId", "apiKeyId", route, hour, requests, refused, answered, errors, credits, latency)
     SELECT v."tenantId", v."userId", v."apiKeyId", v.route, to_timestamp(v.hour / 1000), v.requests, v.refused, v.answered, v.errors, v.credits, v.latency
     FROM jsonb_to_recordset($1) AS v("tenantId" uuid, "userId" uuid, "apiKeyId" uuid, route text, hour bigint, requests bigint, refused bigint, answered bigint, errors bigint, credits bigint, latency int[])
     ON CONFLICT ("apiKeyId", hour, "userId", route) DO UPDATE SET requests = u.requests + EXCLUDED.requests, refused = u.refused + EXCLUDED.refused,
       answered = u.answered + EXCLUDED.answered, errors = u.errors + EXCLUDED.errors, credits = u.credits + EXCLUDED.credits,
       latency = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0) FROM unnest(u.latency, EXCLUDED.latency) WITH ORDINALITY AS t(a, b, i) ORDER BY i)`,
    [JSON.stringify(routeHours)],
  );
}

function byKey(checks: Check[]): KeyHour[] {
  const hours = new Map<string, KeyHour>();
  for (const { keyId, atMs, admitted } of checks) {
    const hour = hourOf(atMs);
    const one = entryOf(hours, `${keyId} ${hour}`, () => ({ id: keyId, hour, requests: 0, refused: 0 }));
    if (admitted) one.requests++;
    else one.refused++;
  }
  return [...hours.values()];
}

function byRoute(calls: CallRow[]): RouteHour[] {
  const hours = new Map<string, RouteHour>();
  for (const call of calls) {
    const { tenantId, userId, apiKeyId, route, atMs, credits, ms } = call;
    // Its check has counted it, and no route was reached.
    if (apiKeyId && call.refusedByCheck) continue;
    const hour = hourOf(atMs);
    const key = apiKeyId ?? (call.portal ? portalKey : noKey);
    const one = entryOf(hours, `${key} ${userId} ${hour} ${route}`, () => ({ tenantId, userId, apiKeyId: key, route, hour, requests: 0, refused: 0, answered: 0, errors: 0, credits: 0, latency: [] }));
    one.credits += credits;
    if (isRefusal(call)) {
      one.refused++;
      if (wasAdmitted(call)) one.requests--;
      continue;
    }
    if (!apiKeyId) one.requests++;
    one.answered++;
    one.errors += isError(call) ? 1 : 0;
    const bucket = bucketOf(ms);
    while (one.latency.length <= bucket) one.latency.push(0);
    one.latency[bucket] = (one.latency[bucket] ?? 0) + 1;
  }
  return [...hours.values()];
}

/** A key's check has counted this call as a request. */
export function wasAdmitted({ apiKeyId, refusedByCheck, uncounted }: CallRow): boolean {
  return apiKeyId !== null && !refusedByCheck && !uncounted;
}

function entryOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known) return known;
  const made = make();
  map.set(key, made);
  return made;
}
