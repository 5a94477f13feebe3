import { pool } from "@/lib/platform/db";

/** Somebody who calls with a secret that was rotated away. */
export type EarlierSecretCaller = { ip: string | null; userAgent: string | null; lastUsedAt: Date; requests: number };

const callersMax = 100;

/** Who has called with a key's earlier secret since it was rotated away, the latest first, from the request log. At most the latest 100. */
export async function listEarlierSecretCallers(key: { tenantId: string; apiKeyId: string }, since: Date): Promise<EarlierSecretCaller[]> {
  const { rows } = await pool().query<EarlierSecretCaller>(
    `SELECT ip, "userAgent", max(at) AS "lastUsedAt", count(*)::int AS requests FROM "RequestLog"
     WHERE "apiKeyId" = $1 AND "tenantId" = $2 AND at >= $3 AND "earlierSecret" GROUP BY ip, "userAgent" ORDER BY max(at) DESC LIMIT ${callersMax}`,
    [key.apiKeyId, key.tenantId, since],
  );
  return rows;
}
