import { z } from "zod";
import { nowDate } from "@/lib/platform/clock";
import { db, pool } from "@/lib/platform/db";
import { isTokenEndpointError } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import type { JobType } from "@/lib/platform/queue";
import { tryGrant } from "./try-grant";

export const keepGrantsAliveJob = { name: "grants.keep-alive", payload: z.object({}) } satisfies JobType<z.ZodType>;

/** At most so many in one run, some at a time: Keycloak has other things to do, and the next run comes soon. */
const perRun = 60;
const atOnce = 3;

/**
 * Due when half of the idle time is over, a little earlier or later by the grant so that those given together do not come together.
 * Not when the absolute end is the nearer one, which no use moves; but once an end has passed, so that the owner sees what is true.
 * Somebody disabled is asked about once a day: being enabled again shows by itself, and the grant does not end idle meanwhile.
 */
const due = `SELECT "userId" FROM "OwnerGrant"
  WHERE sealed <> '' AND "idleDeadlineAt" IS NOT NULL AND ("checkedAt" IS NULL OR "checkedAt" < $1::timestamptz - CASE status WHEN 'owner_disabled' THEN interval '1 day' ELSE interval '10 minutes' END)
    AND ((status = 'active' AND "idleDeadlineAt" < $1::timestamptz - interval '1 minute')
      OR (status = 'owner_disabled' AND coalesce("lastUsedAt", "givenAt") < $1::timestamptz - interval '1 day')
      OR (status = 'active' AND ("absDeadlineAt" IS NULL OR "idleDeadlineAt" < "absDeadlineAt" - interval '1 minute')
        AND $1::timestamptz > coalesce("lastUsedAt", "givenAt") + ("idleDeadlineAt" - coalesce("lastUsedAt", "givenAt"))
          * (0.4 + 0.2 * ('x' || substr(md5("userId"::text), 1, 7))::bit(28)::int / 268435456.0)))
  ORDER BY "idleDeadlineAt" LIMIT ${perRun}`;

/**
 * Uses grants that nobody used for long, so that keys which are rarely needed go on working. Safe to run by several workers: a grant's
 * refresh is one for all, and what another has just used is not due.
 * @returns how many were tried.
 */
export async function keepGrantsAlive(): Promise<number> {
  const { rows } = await pool().query<{ userId: string }>(due, [nowDate()]);
  let tried = 0;
  for (let i = 0; i < rows.length; i += atOnce) {
    const answers = await Promise.allSettled(rows.slice(i, i + atOnce).map(({ userId }) => keep(userId)));
    tried += answers.length;
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed === undefined) continue;
    logger.warn({ err: failed.reason as unknown, left: rows.length - tried }, "a grant could not be kept alive; it will be tried again");
    // Keycloak is away or busy: the others would fare no better.
    if (isTokenEndpointError(failed.reason)) break;
  }
  return tried;
}

async function keep(userId: string): Promise<void> {
  await db().ownerGrant.updateMany({ where: { userId }, data: { checkedAt: nowDate() } });
  await tryGrant(userId);
}
