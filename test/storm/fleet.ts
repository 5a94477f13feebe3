import { randomUUID } from "node:crypto";
import pg from "pg";
import { Pool } from "undici";
import { type Link, openLink } from "../../dev/testing/link";
import { newId } from "../../lib/platform/ids";
import { hashSecret, newSecret } from "../../lib/keys/secret";
import { seed } from "../../prisma/seed";
import { type Replica, startReplica } from "../http/replica";

export type FleetKey = { id: string; secret: string };
export type Member = { replica: Replica; pool: Pool; /** Its way to Redis; null where Redis is found by Sentinel. */ link: Link | null };
export type Answer = { keyId: string; member: number; sentAt: number; receivedAt: number; status: number; code: string | null; degraded: boolean; headers: Record<string, string | string[] | undefined> };

export type Owner = { userId: string; tenantId: string };

export type Fleet = {
  members: Member[];
  db: pg.Pool;
  /** The servers' way to PostgreSQL; `db` goes past it. */
  database: Link;
  owner: Owner;
  /** One more person in the owner's tenant. */
  neighbour(): Promise<Owner>;
  /** A key of the owner's that may manage the others; the storm never revokes it. */
  manager: FleetKey;
  makeKeys(count: number, options?: { owner?: Owner; createdBy?: string; requests?: number; window?: number; permissions?: string[] }): Promise<FleetKey[]>;
  /** One call with a key at a member, which needs no permission and spends nothing but the limits. */
  ask(member: number, key: FleetKey, headers?: Record<string, string>): Promise<Answer>;
  /** One call with whatever headers, `Host` and forwarding ones included. */
  get(member: number, path: string, headers: Record<string, string>): Promise<{ status: number; code: string | null; retryAfter: number | null; text: string }>;
  /** One change by the manager's key at a member. `at` is the moment when the answer had been received. */
  change(member: number, method: "DELETE" | "PATCH", path: string, body?: object): Promise<{ status: number; code: string | null; at: number }>;
  /** @returns the new secret; the old one works for an hour more. */
  rotate(member: number, id: string): Promise<string>;
  stop(): Promise<void>;
};

/** Nothing but what a test asks for refuses. */
const wide = { USER_RATE_LIMIT: "9999999/3600", TENANT_RATE_LIMIT: "9999999/3600", AUTH_FAILURE_LIMIT: "9999999/60" };

/**
 * Server processes on a database and a Redis of their own, so that what is cut, restarted and limited here harms nobody
 * else. The first one has the worker. Each reaches Redis over a link that a test may cut.
 *
 * @param env settings of a server; its `DATABASE_URL` says where the new database is made.
 */
export async function startFleet(env: Record<string, string>, redis: { port: number } | { url: string }, options: { count?: number; env?: Record<string, string> } = {}): Promise<Fleet> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const next of stops.splice(0).reverse()) await next();
  };
  try {
    const name = `fleet_${randomUUID().slice(0, 8)}`;
    const databaseUrl = await newDatabase(env.DATABASE_URL ?? "", name, stops);
    const database = await openLink(Number(new URL(databaseUrl).port));
    stops.push(database.close);
    const linkedUrl = Object.assign(new URL(databaseUrl), { port: String(database.port) }).toString();
    const start = async (i: number): Promise<Member> => {
      const link = "port" in redis ? await openLink(redis.port) : null;
      if (link) stops.push(link.close);
      const redisUrl = link ? `redis://127.0.0.1:${link.port}` : "url" in redis ? redis.url : "";
      // Its people are made up, and Keycloak knows none of them: a sweep would take them for deleted.
      const nobodysSync = { KEYCLOAK_SYNC_CLIENT_ID: "", KEYCLOAK_SYNC_CLIENT_SECRET: "" };
      const { PORT: _port, ...settings } = env;
      const replica = await startReplica({ ...settings, ...wide, ...nobodysSync, NODE_ENV: "production", SERVER_MODE: "api", DATABASE_URL: linkedUrl, REDIS_URL: redisUrl, WORKER: i === 0 ? "inside" : "off", ENABLE_CHATFLOW_SYNC: "false", HOST: "127.0.0.1", ...options.env });
      stops.push(replica.stop);
      const pool = new Pool(replica.url.replace("localhost", "127.0.0.1"), { connections: 64 });
      stops.push(() => pool.destroy());
      return { replica, pool, link };
    };
    // The first one makes the tables.
    const members = [await start(0)];
    members.push(...await Promise.all(Array.from({ length: (options.count ?? 3) - 1 }, (_, i) => start(i + 1))));
    const db = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    db.on("error", () => undefined);
    stops.push(() => db.end());

    const person = async (sub: string): Promise<Owner> => {
      await seed(databaseUrl, env.KEYCLOAK_ISSUER ?? "", [{ sub, username: sub, email: `${sub}@example.test`, name: "Fleet", role: "user", tenant: name, chatflows: [] }]);
      const { rows: [found] } = await db.query<Owner>('SELECT id AS "userId", "tenantId" FROM "User" WHERE sub = $1', [sub]);
      if (!found) throw new Error("the person is not there");
      return found;
    };
    const owner = await person(name);
    const makeKeys: Fleet["makeKeys"] = async (count, { owner: { userId, tenantId } = owner, createdBy, requests = 1_000_000, window = 3600, permissions = ["read", "ai:predict"] } = {}) => {
      const keys = Array.from({ length: count }, () => ({ id: newId(), secret: newSecret("slk").value }));
      await db.query(
        `INSERT INTO "ApiKey" (id, "tenantId", "userId", name, "secretHash", start, last4, permissions, "rateRequests", "rateWindow", "createdByType", "createdById", "updatedAt")
         SELECT id, $1, $2, 'storm', hash, 'slk_', 'last', $3, $4, $5, $6, $7, now() FROM unnest($8::uuid[], $9::text[]) AS made(id, hash)`,
        [tenantId, userId, permissions, requests, window, createdBy ? "apiKey" : "bootstrap", createdBy ?? null, keys.map((k) => k.id), keys.map((k) => hashSecret(k.secret))],
      );
      return keys;
    };
    const [manager] = await makeKeys(1, { permissions: ["*"] });
    if (!manager) throw new Error("no key was made");
    const at = (i: number) => members[i] as Member;

    return {
      members, db, database, owner, manager, makeKeys, stop,
      neighbour: () => person(`n-${randomUUID().slice(0, 8)}`),
      ask: async (member, key, headers = {}) => {
        const sentAt = performance.now();
        const { statusCode: status, headers: answered, body } = await at(member).pool.request({ method: "GET", path: "/api/v1/auth/me", headers: { "x-api-key": key.secret, ...headers } });
        const text = await body.text();
        return { keyId: key.id, member, sentAt, receivedAt: performance.now(), status, code: codeOf(text), degraded: answered["x-sluice-degraded"] === "limits", headers: answered };
      },
      get: async (member, path, headers) => {
        const { statusCode: status, headers: answered, body } = await at(member).pool.request({ method: "GET", path, headers });
        const text = await body.text();
        return { status, code: codeOf(text), retryAfter: answered["retry-after"] === undefined ? null : Number(answered["retry-after"]), text };
      },
      rotate: async (member, id) => {
        const { body } = await at(member).pool.request({
          method: "POST", path: `/api/v1/auth/api-keys/${id}/rotate`, headers: { "x-api-key": manager.secret, "content-type": "application/json" }, body: JSON.stringify({ overlapSeconds: 3600 }),
        });
        const { data } = await body.json() as { data: { key: string } };
        return data.key;
      },
      change: async (member, method, path, change) => {
        const { statusCode: status, body } = await at(member).pool.request({
          method, path: `/api/v1/auth/api-keys/${path}`, headers: { "x-api-key": manager.secret, ...(change && { "content-type": "application/json" }) }, body: change ? JSON.stringify(change) : null,
        });
        const text = await body.text();
        return { status, code: codeOf(text), at: performance.now() };
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function newDatabase(baseUrl: string, name: string, stops: (() => Promise<unknown>)[]): Promise<string> {
  const admin = new pg.Client({ connectionString: baseUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  stops.push(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.end();
  });
  return Object.assign(new URL(baseUrl), { pathname: `/${name}` }).toString();
}

function codeOf(text: string): string | null {
  return /"code":"(\w+)"/.exec(text)?.[1] ?? null;
}
