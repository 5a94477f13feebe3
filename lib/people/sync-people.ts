import { z } from "zod";
import { type Context, requirePermission } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { advisoryLocks } from "@/lib/platform/advisory-locks";
import { nowDate } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { exclusively } from "@/lib/platform/exclusively";
import { newId } from "@/lib/platform/ids";
import { inParallel } from "@/lib/platform/in-parallel";
import { canReadKeycloak, getKeycloakUser, type KeycloakUser, listKeycloakUsers, membershipReader } from "@/lib/platform/keycloak-admin";
import { logger } from "@/lib/platform/logger";
import { carryOverPerson, knownFields, knownIdentity, readIdentity } from "@/lib/tenants";
import { observe, observedFields, observedOf } from "./observe";
import type { UserSyncAnswer } from "./schemas";

export const peopleSyncJob = { name: "people.sync", payload: z.object({}) };

const pageSize = 100;
/** Each person costs a few calls of the admin API; that many are under way at once, which leaves the database to others. */
const atOnce = 3;
const errorsMax = 100;

type Counts = { created: number; updated: number; deactivated: number; external: number; errors: string[] };
type Memberships = ReturnType<typeof membershipReader>;

/**
 * Copies Keycloak's people: new ones appear with role and tenant as a sign-in would give them, changes are carried over, who is
 * disabled there or gone is deactivated here. Page by page, so that their number does not matter. Nobody counts as gone unless the
 * list was read to its end without them *and* Keycloak, asked for them by id, does not know them. Whom we cannot carry over is told of, and
 * the rest goes on.
 *
 * @throws SluiceError `insufficient_permission`, `conflict` while another sync runs, `identity_unavailable`
 */
export async function syncPeople(ctx: Context): Promise<UserSyncAnswer> {
  requirePermission(ctx, "admin:users");
  requireReader();
  const ran = await exclusively(advisoryLocks.peopleSync, env().KEYCLOAK_ISSUER, () => run(ctx));
  if (!ran) throw new SluiceError("conflict", "A sync is already running.", { retryAfterSeconds: 5 });
  return ran.done;
}

/** @throws SluiceError `identity_unavailable` where no service account is set up */
export function requireReader(): void {
  if (!canReadKeycloak()) throw new SluiceError("identity_unavailable", "No service account is set up for reading people in Keycloak (KEYCLOAK_SYNC_CLIENT_ID).");
}

async function run(ctx: Context): Promise<UserSyncAnswer> {
  const startedAt = nowDate();
  const id = newId();
  await db().syncRun.create({ data: { id, kind: "people", startedAt } });
  try {
    const counts: Counts = { created: 0, updated: 0, deactivated: 0, external: 0, errors: [] };
    const memberships = membershipReader();
    for (let first = 0; ; first += pageSize) {
      const page = await listKeycloakUsers({ first, max: pageSize });
      counts.external += page.length;
      await carryOverPage(ctx, page, { counts, memberships, startedAt });
      if (page.length < pageSize) break;
    }
    await settleMissing(ctx, { counts, memberships, startedAt });
    const answer = await answerOf(counts, startedAt);
    await transaction(async (tx) => {
      await tx.syncRun.update({ where: { id }, data: { finishedAt: nowDate(), succeeded: true, statistics: answer.statistics } });
      const { created, updated, deactivated, errors } = counts;
      // An hourly run that found nothing new is no event.
      if (ctx.actor.type !== "job" || created + updated + deactivated > 0) await recordAudit(tx, ctx, { action: "users.synced", data: { created, updated, deactivated, errors: errors.length } });
    });
    return answer;
  } catch (error) {
    await db().syncRun.update({ where: { id }, data: { finishedAt: nowDate(), succeeded: false, error: isSluiceError(error) ? error.detail : "failed" } }).catch(() => undefined);
    throw error;
  }
}

type Run = { counts: Counts; memberships: Memberships; startedAt: Date };

async function carryOverPage(ctx: Context, page: KeycloakUser[], run: Run): Promise<void> {
  await inParallel(page, atOnce, (user) => carryOver(ctx, user, run));
  const subs = page.map((user) => user.id);
  await db().$executeRaw`UPDATE "User" SET "syncedAt" = ${run.startedAt} WHERE issuer = ${env().KEYCLOAK_ISSUER} AND sub = ANY(${subs})`;
}

/** One person, whatever becomes of them. @throws only when Keycloak or a store is away, which ends the run */
async function carryOver(ctx: Context, user: KeycloakUser, { counts, memberships }: Run): Promise<void> {
  try {
    const outcome = await carryOverUser(ctx, user, memberships);
    if (outcome) counts[outcome] += 1;
  } catch (error) {
    if (isSluiceError(error, "identity_unavailable", "store_unavailable")) throw error;
    logger.warn({ err: error, sub: user.id, requestId: ctx.requestId }, "a person could not be carried over");
    if (counts.errors.length < errorsMax) counts.errors.push(`${user.username}: ${isSluiceError(error) ? error.detail : "could not be stored"}`);
  }
}

/** Somebody whom we never met and who is disabled is left alone: they have nothing here to take away. */
export async function carryOverUser(ctx: Context, user: KeycloakUser, memberships: Memberships): Promise<"created" | "updated" | "deactivated" | null> {
  const row = await db().user.findUnique({ where: { issuer_sub: { issuer: env().KEYCLOAK_ISSUER, sub: user.id } }, select: { ...observedFields, ...knownFields } });
  if (!row && !user.enabled) return null;
  const observation = row && (await observe(ctx, observedOf(row), user));
  if (!user.enabled) return observation === "deactivated" ? "deactivated" : null;
  const { outcome } = await carryOverPerson(await readIdentity(user, memberships, row && knownIdentity(row)), { seen: false });
  return outcome === "created" ? "created" : outcome === "updated" || observation ? "updated" : null;
}

/** A page may shift while people come and go, so whom the list did not show is asked for by id. */
async function settleMissing(ctx: Context, run: Run): Promise<void> {
  const { startedAt, counts } = run;
  for (let after = ""; ; ) {
    const rows = await db().user.findMany({
      where: { issuer: env().KEYCLOAK_ISSUER, keycloakState: { not: "deleted" }, OR: [{ syncedAt: null }, { syncedAt: { lt: startedAt } }], ...(after && { id: { gt: after } }) },
      orderBy: { id: "asc" }, take: pageSize, select: observedFields,
    });
    await inParallel(rows, atOnce, async (row) => {
      const user = await getKeycloakUser(row.sub);
      if (user) await carryOver(ctx, user, run);
      else if ((await observe(ctx, observedOf(row), null)) === "deactivated") counts.deactivated += 1;
    });
    after = rows.at(-1)?.id ?? "";
    if (rows.length < pageSize) return;
  }
}

async function answerOf({ created, updated, deactivated, external, errors }: Counts, startedAt: Date): Promise<UserSyncAnswer> {
  const local = await db().user.count({ where: { issuer: env().KEYCLOAK_ISSUER } });
  const failed = errors.length === 0 ? "" : ` ${errors.length === errorsMax ? `${errorsMax} or more` : errors.length} could not be carried over.`;
  return {
    status: errors.length === 0 ? "success" : "partial",
    message: `${external} ${external === 1 ? "person" : "people"} in Keycloak: ${created} new, ${updated} changed, ${deactivated} deactivated.${failed}`,
    timestamp: startedAt.toISOString(),
    statistics: { total_external_users: external, total_local_users: local, created_users: created, updated_users: updated, deactivated_users: deactivated, errors },
  };
}
