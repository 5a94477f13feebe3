import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { now, nowDate } from "@/lib/platform/clock";
import { sha256Hex } from "@/lib/platform/crypto";
import { db, pool } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { exclusively } from "@/lib/platform/exclusively";
import { inParallel } from "@/lib/platform/in-parallel";
import { canReadKeycloak, countKeycloakUsers, getKeycloakUser, listKeycloakUsers, roleReader } from "@/lib/platform/keycloak-admin";
import { logger } from "@/lib/platform/logger";
import { withRedis } from "@/lib/platform/redis";
import { observe, observedFields, observedOf } from "./observe";
import { takeOverRole } from "./take-over-role";

export const peopleSweepJob = { name: "people.sweep", payload: z.object({}) };

/** Of brief entries, and only their ids are kept. */
const pageSize = 500;
const atOnce = 4;
/** How many people with live credentials are asked for by id in one sweep; where there are more they take turns, active ones first. */
const askedMax = 300;
/** Whose key was used so recently counts as active. */
const keyActiveMs = 600_000;

export type Swept = { asked: number; deactivated: number; reactivated: number; roles: number };

/**
 * Asks Keycloak who was disabled, deleted, enabled again, given another role or signed out by an administrator there, and takes it over: nothing else tells us
 * (such a sign-out sends a message at best, the others never do, and admin events may be off). Reads who is disabled; by id and with roles, who has live
 * credentials here and who seems to have changed; and the whole list, ids alone, when it has grown or shrunk, since a deleted person is in no list.
 * Nobody is deactivated on a list's word alone. A Keycloak that does not answer changes nobody.
 *
 * @returns null when there is nothing to ask with, or another replica is at it.
 * @throws SluiceError `insufficient_permission`, `identity_unavailable`, `store_unavailable`
 */
export async function sweepPeople(ctx: Context): Promise<Swept | null> {
  requirePermission(ctx, "admin:users");
  if (!canReadKeycloak()) return null;
  return (await exclusively(advisoryLocks.peopleSweep, env().KEYCLOAK_ISSUER, () => sweep(ctx)))?.done ?? null;
}

async function sweep(ctx: Context): Promise<Swept> {
  const swept: Swept = { asked: 0, deactivated: 0, reactivated: 0, roles: 0 };
  const countThen = await readCount();
  const count = await countKeycloakUsers();
  const disabled = await listIds({ enabled: false });
  // Those first: they are known to be out, and may be at it right now.
  await ask(ctx, await subsWhere(`"keycloakState" = 'enabled' AND sub = ANY($2)`, [...disabled]), swept);
  await ask(ctx, await subsWhere(`"keycloakState" = 'disabled' AND sub <> ALL($2)`, [...disabled]), swept);
  await ask(ctx, await subsWithCredentials(), swept);
  if (count !== countThen) {
    const all = await listIds({});
    await ask(ctx, await subsWhere(`"keycloakState" <> 'deleted' AND sub <> ALL($2)`, [...all]), swept);
    await writeCount(count);
  }
  if (swept.deactivated + swept.reactivated + swept.roles > 0) logger.info({ ...swept, requestId: ctx.requestId }, "people swept");
  return swept;
}

async function listIds(filter: { enabled?: boolean }): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let first = 0; ; first += pageSize) {
    const page = await listKeycloakUsers({ first, max: pageSize, brief: true, ...filter });
    for (const { id } of page) ids.add(id);
    if (page.length < pageSize) return ids;
  }
}

/** By id, since only that tells of deletion and sign-out. */
async function ask(ctx: Context, subs: string[], swept: Swept): Promise<void> {
  const rows = (await db().user.findMany({ where: { issuer: env().KEYCLOAK_ISSUER, sub: { in: subs } }, select: observedFields })).map(observedOf);
  const rolesOf = roleReader();
  await inParallel(rows, atOnce, async (row) => {
    const user = await getKeycloakUser(row.sub);
    swept.asked += 1;
    try {
      const outcome = await observe(ctx, row, user);
      if (outcome) swept[outcome] += 1;
      if (user?.enabled && (await takeOverRole(row, rolesOf))) swept.roles += 1;
    } catch (error) {
      // The others must not wait for this one.
      if (isSluiceError(error, "store_unavailable", "identity_unavailable")) throw error;
      logger.error({ err: error, userId: row.userId }, "what Keycloak says of a person was not taken over");
    }
  });
  await db().$executeRaw`UPDATE "User" SET "keycloakCheckedAt" = ${nowDate()} WHERE id = ANY(${rows.map((row) => row.userId)}::uuid[])`;
}

/** A condition of ours with one array as its parameter: the ids of a large realm are more than a statement may have parameters. */
async function subsWhere(condition: string, subs: string[]): Promise<string[]> {
  const { rows } = await pool().query<{ sub: string }>(`SELECT sub FROM "User" WHERE issuer = $1 AND ${condition}`, [env().KEYCLOAK_ISSUER, subs]);
  return rows.map((row) => row.sub);
}

/** Who may hold a session, a live key or a program's sign-in: active ones first, and of each kind the longest unasked. */
async function subsWithCredentials(): Promise<string[]> {
  const { rows } = await pool().query<{ sub: string }>(
    `SELECT u.sub FROM "User" u,
       LATERAL (SELECT u."lastSeenAt" > $2 OR EXISTS (SELECT 1 FROM "ApiKey" k WHERE k."userId" = u.id AND k."lastUsedAt" > $3)
         OR EXISTS (SELECT 1 FROM "TokenFamily" f WHERE f."userId" = u.id AND f."revokedAt" IS NULL AND f."expiresAt" > $4) AS active) now
     WHERE u.issuer = $1 AND u."keycloakState" = 'enabled'
       AND (now.active OR EXISTS (SELECT 1 FROM "ApiKey" k WHERE k."userId" = u.id AND k."revokedAt" IS NULL AND (k."expiresAt" IS NULL OR k."expiresAt" > $4)))
     ORDER BY now.active DESC NULLS LAST, u."keycloakCheckedAt" ASC NULLS FIRST, u.id LIMIT ${askedMax}`,
    [env().KEYCLOAK_ISSUER, new Date(now() - env().SESSION_ABSOLUTE_SECONDS * 1000), new Date(now() - keyActiveMs), nowDate()],
  );
  return rows.map((row) => row.sub);
}

/** How many people Keycloak had when the whole list was last compared; Redis may forget it, and then it is compared once more. */
const countKey = () => `sl:people:count:${sha256Hex(env().KEYCLOAK_ISSUER).slice(0, 16)}`;
const readCount = async () => Number((await withRedis((client) => client.get(countKey()))) ?? "-1");
const writeCount = (count: number) => withRedis((client) => client.set(countKey(), count));
