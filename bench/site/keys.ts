import { randomUUID } from "node:crypto";
import type pg from "pg";
import { newSecret } from "../../lib/keys/secret";
import type { Site } from "./site";

type Owner = Site["owner"];

/** Keys of the owner, straight into the table: a plan allows a person ten. @returns their secrets. */
export async function makeKeys(db: pg.Client, owner: Owner, count: number, options: { requests?: number } = {}): Promise<string[]> {
  const secrets = Array.from({ length: count }, () => newSecret("slk"));
  await db.query(
    `INSERT INTO "ApiKey" (id, "tenantId", "userId", name, "secretHash", start, last4, permissions, "rateRequests", "rateWindow", "createdByType", "updatedAt")
     SELECT gen_random_uuid(), $1, $2, 'bench', hash, 'slk_', 'last', ARRAY['chatflows:read', 'ai:predict', 'nflow:read'], $3, 3600, 'bootstrap', now() FROM unnest($4::text[]) AS hash`,
    [owner.tenantId, owner.userId, options.requests ?? 1_000_000, secrets.map((secret) => secret.hash)],
  );
  return secrets.map((secret) => secret.value);
}

/** Well-formed, with a good checksum, and never given out. */
export function unknownKeys(count: number): string[] {
  return Array.from({ length: count }, () => newSecret("slk").value);
}

/** Key rows whose secrets nobody knows, for a table of a size. The server makes them, in one statement. */
export async function fillKeys(db: pg.Client, owner: Owner, count: number): Promise<void> {
  await db.query(
    `INSERT INTO "ApiKey" (id, "tenantId", "userId", name, "secretHash", start, last4, permissions, "rateRequests", "rateWindow", "createdByType", "updatedAt")
     SELECT gen_random_uuid(), $1, $2, 'fill', encode(sha256(convert_to($4 || n::text, 'UTF8')), 'hex'), 'slk_', 'last', ARRAY['chatflows:read'], 1000, 3600, 'bootstrap', now() FROM generate_series(1, $3) AS n`,
    [owner.tenantId, owner.userId, count, randomUUID()],
  );
  // Now, and not by itself in the middle of a measurement.
  await db.query('VACUUM ANALYZE "ApiKey"');
}

