import { z } from "zod";
import { type Person, type RateLimit, roleMask } from "@/lib/access";
import { pool } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { notFound } from "@/lib/platform/errors";
import { readRecord, writeRecord } from "@/lib/platform/records";
import { redisRunId } from "@/lib/platform/redis";
import { remember } from "@/lib/platform/remember";
import { limitsInForce } from "./limits";

export const userRecordKey = (userId: string) => `sl:u:${userId}`;
export const tenantRecordKey = (tenantId: string) => `sl:t:${tenantId}`;

/** A person and whether they may act now. */
export type PersonState = { person: Person; isActive: boolean; tenantIsActive: boolean; /** What the whole tenant has, above the limits of keys and people. */ tenantRateLimit: RateLimit };

const PersonJson = z.object({
  userId: z.string(), tenantId: z.string(), tenant: z.string(), issuer: z.string(), sub: z.string(), username: z.string(),
  email: z.string().nullable(), emailVerified: z.boolean(), name: z.string().nullable(), role: z.enum(["admin", "user", "viewer"]).nullable(),
});

/** A person as a record holds them; null when it cannot be read. Not to be changed: the same text gives the same object. */
export const parsePerson: (json: string) => Person | null = remember((json) => {
  try {
    return Object.freeze(PersonJson.parse(JSON.parse(json)));
  } catch {
    return null;
  }
}, 1000);

type Row = {
  id: string; tenantId: string; slug: string; issuer: string; sub: string; username: string; email: string | null; emailVerified: boolean;
  name: string | null; role: Person["role"]; isActive: boolean; version: number; tenantActive: boolean; tenantVersion: number; tenantLimits: unknown; planLimits: unknown;
};

/** Raw `pg`: this is the key check's miss path, where Prisma costs two and a half times the CPU. */
const select = `SELECT u.id, u."tenantId", t.slug, u.issuer, u.sub, u.username, u.email, u."emailVerified", u.name, u.role, u."isActive", u.version,
  t."isActive" AS "tenantActive", t.version AS "tenantVersion", t.limits AS "tenantLimits", p.limits AS "planLimits"
  FROM "User" u JOIN "Tenant" t ON t.id = u."tenantId" JOIN "Plan" p ON p.id = t."planId" WHERE u.id = $1`;

async function readRow(userId: string): Promise<Row | null> {
  const { rows } = await pool().query<Row>({ name: "person-state", text: select, values: [userId] });
  return rows[0] ?? null;
}

function stateOf(row: Row): PersonState {
  const { id, slug, isActive, tenantActive, version: _v, tenantVersion: _t, tenantLimits, planLimits, ...rest } = row;
  return { person: { ...rest, userId: id, tenant: slug }, isActive, tenantIsActive: tenantActive, tenantRateLimit: limitsInForce(tenantLimits, planLimits).rateLimit };
}

/** From PostgreSQL alone, for the check that must do without Redis. */
export async function loadPersonState(userId: string): Promise<PersonState | null> {
  const row = await readRow(userId);
  return row ? stateOf(row) : null;
}

/**
 * Packed for the key check's script: `enabled|roleMask|limitRequests|limitWindow|tenantId|person as JSON` and
 * `enabled|limitRequests|limitWindow`. Bars occur in no field before the JSON.
 */
export async function writePersonRecords(userId: string): Promise<PersonState | null> {
  const runId = await redisRunId();
  const row = await readRow(userId);
  if (!row) return null;
  const state = stateOf(row);
  const { USER_RATE_LIMIT: user } = env();
  const { tenantRateLimit: tenant } = state;
  await writeRecord(userRecordKey(userId), row.version, `${state.isActive ? 1 : 0}|${roleMask(row.role)}|${user.requests}|${user.window}|${row.tenantId}|${JSON.stringify(state.person)}`, { runId });
  await writeRecord(tenantRecordKey(row.tenantId), row.tenantVersion, `${state.tenantIsActive ? 1 : 0}|${tenant.requests}|${tenant.window}`, { runId });
  return state;
}

/** @returns null for an id that was never given out. @throws SluiceError `store_unavailable` */
export async function findPersonState(userId: string): Promise<PersonState | null> {
  const packed = await readRecord(userRecordKey(userId));
  if (packed) {
    const [enabled, , , , tenantId, ...json] = packed.split("|");
    const [tenantEnabled, requests, window] = ((await readRecord(tenantRecordKey(tenantId ?? ""))) ?? "").split("|");
    const person = parsePerson(json.join("|"));
    if (tenantEnabled && person) return { person, isActive: enabled === "1", tenantIsActive: tenantEnabled === "1", tenantRateLimit: { requests: Number(requests), window: Number(window) } };
  }
  return writePersonRecords(userId);
}

export async function getPersonState(userId: string): Promise<PersonState> {
  const state = await findPersonState(userId);
  if (!state) throw notFound("This person is not known here.");
  return state;
}
