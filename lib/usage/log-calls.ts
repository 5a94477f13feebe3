import type { PoolClient } from "pg";
import { newId } from "@/lib/platform/ids";
import type { CallRow } from "./call-record";

/** One row a call. Two calls with one request id are two rows. */
export async function logCalls(client: PoolClient, calls: CallRow[]): Promise<void> {
  if (calls.length === 0) return;
  await client.query(
    `INSERT INTO "RequestLog" (id, at, "requestId", "tenantId", "userId", "apiKeyId", method, route, status, code, ms, upstream, "refId", credits, ip, "userAgent", "earlierSecret", portal)
     SELECT v.id, to_timestamp(v."atMs" / 1000.0), v."requestId", v."tenantId", v."userId", v."apiKeyId", v.method, v.route, v.status, v.code, v.ms, v.upstream, v."refId", v.credits, v.ip, v."userAgent", v."earlierSecret", v.portal
     FROM jsonb_to_recordset($1) AS v(id uuid, "atMs" bigint, "requestId" text, "tenantId" uuid, "userId" uuid, "apiKeyId" uuid, method text, route text, status int, code text, ms int,
       upstream text, "refId" text, credits int, ip text, "userAgent" text, "earlierSecret" boolean, portal boolean)`,
    [JSON.stringify(calls.map((call) => ({ id: newId(), ...call })))],
  );
}
