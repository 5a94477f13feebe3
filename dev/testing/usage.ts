import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { aPerson } from "./people";
import type { Person } from "../../lib/access";
import { sha256Hex } from "../../lib/platform/crypto";
import { db } from "../../lib/platform/db";
import { newId } from "../../lib/platform/ids";
import { redis, redisReady } from "../../lib/platform/redis";
import { type EndedCall, packCall } from "../../lib/usage/call-record";
import { usageStream } from "../../lib/usage/stream";

/** There is one stream and one log for all: test files that fold or look at them go one after the other. */
export function takeTurns(): void {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  beforeAll(async () => {
    await client.connect();
    await client.query("SELECT pg_advisory_lock(1)");
    await redisReady();
  }, 180_000);
  afterAll(() => client.end());
}

/** A key's row for tests of what is counted of it; nobody knows its secret. */
export async function aKey(person?: Person): Promise<{ id: string; person: Person }> {
  const owner = person ?? (await aPerson());
  const id = newId();
  await db().apiKey.create({ data: { id, tenantId: owner.tenantId, userId: owner.userId, name: "k", secretHash: sha256Hex(id), start: "slk_test", last4: "test", rateRequests: 1, rateWindow: 1, createdByType: "user" } });
  return { id, person: owner };
}

/** What the key check leaves in the stream. */
export const addChecks = async (...checks: string[]) => (await redis().xadd(usageStream, "*", "c", checks.join(","))) ?? "";

export function aCall(person: Person, fields: Partial<EndedCall> & { apiKeyId?: string } = {}): EndedCall {
  const { apiKeyId, ...rest } = fields;
  return {
    requestId: randomUUID(), atMs: Date.now(), method: "GET", route: "/api/v1/auth/me", status: 200, ms: 5, ip: "127.0.0.1", userAgent: "vitest", error: undefined,
    by: { userId: person.userId, tenantId: person.tenantId, ...(apiKeyId && { apiKeyId }) }, call: { credits: 0 }, ...rest,
  };
}

/** What a door leaves there of calls that have ended. */
export const addCalls = async (...calls: EndedCall[]) => (await redis().xadd(usageStream, "*", "l", JSON.stringify(calls.map(packCall)))) ?? "";

/** How many entries of the stream tell of this person's calls. */
export async function entriesOf(person: Person): Promise<number> {
  const entries = await redis().xrange(usageStream, "-", "+");
  return entries.filter(([, [name, json]]) => name === "l" && json?.includes(person.userId)).length;
}
