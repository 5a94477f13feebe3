import type { Context } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { canReadKeycloak, getKeycloakUser } from "@/lib/platform/keycloak-admin";
import { logger } from "@/lib/platform/logger";
import { withRedis } from "@/lib/platform/redis";

/** How long an answer counts, and a silence too: an outage must not hold up each action anew. */
const ttlSeconds = 10;
const deadlineMs = 2000;

const answerKey = (userId: string) => `sl:kc:asked:${userId}`;

/**
 * Asks Keycloak whether an administrator who is about to change something is still enabled there, since the sweep may be half a
 * minute late and an administrator can do much in it. For everybody else, and without a service account, the sweep is enough. A
 * Keycloak that does not answer holds nobody up: what was last seen of them stands, as everywhere.
 *
 * @throws SluiceError `owner_disabled`
 */
export async function confirmAdministrator(ctx: Context): Promise<void> {
  const { actor } = ctx;
  if (actor.type !== "user" && actor.type !== "apiKey") return;
  const { person } = actor;
  if (person.role !== "admin" || person.issuer !== env().KEYCLOAK_ISSUER || !canReadKeycloak()) return;
  try {
    if (await withRedis((client) => client.get(answerKey(person.userId)))) return;
    const user = await getKeycloakUser(person.sub, { deadlineMs });
    if (!user?.enabled) throw new SluiceError("owner_disabled", "Keycloak does not have you enabled any more.");
  } catch (error) {
    if (!isSluiceError(error, "identity_unavailable", "store_unavailable")) throw error;
    logger.warn({ err: error, userId: person.userId }, "Keycloak could not be asked about an administrator");
  }
  await withRedis((client) => client.set(answerKey(person.userId), "1", "EX", ttlSeconds)).catch(() => undefined);
}
