import type { PoolClient } from "pg";
import type { CallRow } from "./call-record";
import { wasAdmitted } from "./roll-up";
import { isRefusal } from "./schemas";
import type { Check } from "./stream";

type Counts = { requests: number; used: number | null; earlierUsed: number | null; requested: number | null };

/**
 * The counters and times that stand in the key's own row, and when an earlier secret of it was last used. Times in seconds, as PostgreSQL counts them.
 * A call that was refused after its check admitted it is taken back, so that the row and the hours say the same.
 */
export async function countKeys(client: PoolClient, checks: Check[], calls: CallRow[]): Promise<void> {
  const counts = countsOf(checks, calls);
  const ids = [...counts.keys()];
  if (ids.length === 0) return;
  const column = <T>(pick: (one: Counts) => T) => [...counts.values()].map(pick);
  // In the order of ids, as whoever else locks several keys does, so that the two cannot wait for one another.
  await client.query('SELECT 1 FROM "ApiKey" WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [ids]);
  await client.query(
    `UPDATE "ApiKey" k SET "requestCount" = k."requestCount" + v.requests, "lastUsedAt" = greatest(k."lastUsedAt", to_timestamp(v.used)),
       "lastRequestAt" = greatest(k."lastRequestAt", to_timestamp(v.requested))
     FROM unnest($1::uuid[], $2::bigint[], $3::float8[], $4::float8[]) AS v(id, requests, used, requested) WHERE k.id = v.id`,
    [ids, column((one) => one.requests), column((one) => one.used), column((one) => one.requested)],
  );
  const earlier = [...counts].filter(([, one]) => one.earlierUsed !== null);
  if (earlier.length === 0) return;
  // Only a secret whose overlap still ran at that moment can have been admitted.
  await client.query(
    `UPDATE "EarlierSecret" s SET "lastUsedAt" = greatest(s."lastUsedAt", to_timestamp(v.used))
     FROM unnest($1::uuid[], $2::float8[]) AS v(id, used) WHERE s."apiKeyId" = v.id AND s."overlapEndsAt" > to_timestamp(v.used)`,
    [earlier.map(([id]) => id), earlier.map(([, one]) => one.earlierUsed)],
  );
}

function countsOf(checks: Check[], calls: CallRow[]): Map<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { keyId, atMs, admitted, earlierSecret } of checks) {
    const at = atMs / 1000;
    const known = counts.get(keyId) ?? { requests: 0, used: null, earlierUsed: null, requested: at };
    counts.set(keyId, { requests: known.requests + (admitted ? 1 : 0), used: admitted ? at : known.used, earlierUsed: earlierSecret ? at : known.earlierUsed, requested: at });
  }
  for (const call of calls) {
    if (!call.apiKeyId || !wasAdmitted(call) || !isRefusal(call)) continue;
    const known = counts.get(call.apiKeyId) ?? { requests: 0, used: null, earlierUsed: null, requested: null };
    counts.set(call.apiKeyId, { ...known, requests: known.requests - 1 });
  }
  return counts;
}
