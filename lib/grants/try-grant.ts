import { z } from "zod";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import { db } from "@/lib/platform/db";
import { canReadKeycloak, getKeycloakUser } from "@/lib/platform/keycloak-admin";
import { logger } from "@/lib/platform/logger";
import { enqueue, type JobType } from "@/lib/platform/queue";
import { endSignedOutGrant } from "./end-signed-out-grant";
import { refreshGrant } from "./refresh-grant";
import { findGrantRow, type GrantRow } from "./vault";

export const tryGrantJob = { name: "grants.try", payload: z.strictObject({ userId: z.uuid() }) } satisfies JobType<z.ZodType>;

/**
 * Keycloak tells of a sign-out before the session is over, client after client with up to 5 s for each: tokens tried at once are
 * still good, and may even have to wait for our own answer. So the first look comes when it has our answer, the second when all have been told.
 */
const looksAfterMs = [1000, 20_000];

/** Whose grant a message of Keycloak is about; null when nobody has one. */
export async function findGrantOwner({ issuer, sub, sid }: { issuer: string; sub: string | null; sid: string | null }): Promise<string | null> {
  const named = sub !== null ? { sub } : sid !== null ? { kcSid: sid } : null;
  if (!named) return null;
  return (await db().ownerGrant.findFirst({ where: { issuer, ...named, status: { not: "needs_reauth" } }, select: { userId: true } }))?.userId ?? null;
}

/** Asks for the grant to be tried, by whichever worker is free. Asking again while a look is still to come adds none. */
export async function tryGrantSoon(userId: string): Promise<void> {
  for (const delay of looksAfterMs) await enqueue(tryGrantJob, { userId }, { delay, jobId: `${tryGrantJob.name}.${userId}.${delay}`, attempts: 3, removeOnComplete: true, removeOnFail: true });
}

/**
 * Uses the grant once, so that its state is what Keycloak says of it now. A lost or suspended grant is an answer like another. An admin's
 * sign-out is asked for first: a refresh would pass for a token of that very second, and hide it.
 * @throws TokenEndpointError when Keycloak could not tell; the grant is kept.
 */
export async function tryGrant(userId: string): Promise<void> {
  const row = await findGrantRow(userId);
  if (!row?.sealed || row.status === "needs_reauth") return;
  if (await isSignedOut(row)) return;
  await refreshGrant(userId, row.generation).catch((error: unknown) => {
    if (!isSluiceError(error, "owner_reauth_required", "owner_disabled")) throw error;
  });
}

async function isSignedOut({ userId, issuer, sub }: GrantRow): Promise<boolean> {
  if (!canReadKeycloak() || issuer !== env().KEYCLOAK_ISSUER) return false;
  const user = await getKeycloakUser(sub).catch((error: unknown) => {
    logger.warn({ err: error, userId }, "whether an admin signed this person out could not be read; the sweep asks again");
    return null;
  });
  return user?.notBefore ? endSignedOutGrant(userId, user.notBefore) : false;
}
