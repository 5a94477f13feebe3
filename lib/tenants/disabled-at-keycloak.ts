import { z } from "zod";
import { now } from "@/lib/platform/clock";
import { keycloakNow } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { enqueue, type JobType } from "@/lib/platform/queue";
import { unfinished } from "@/lib/platform/unfinished";

/** `seenAt` is ms of Keycloak's clock. */
export const disabledJob = { name: "people.disabled", payload: z.strictObject({ userId: z.uuid(), seenAt: z.int() }) } satisfies JobType<z.ZodType>;

/** What we know of Keycloak's clock may be that slow, and a token from before must not count as one from after. */
const slowMs = 2000;

/**
 * Tells that Keycloak refused to renew somebody's tokens because they are disabled there, beside the request that met it: a worker takes it over
 * for all that they act by. Only Keycloak's own words may lead here (`saysDisabled`).
 */
export function tellDisabled(userId: string): void {
  const seenAt = (keycloakNow() ?? now()) + slowMs;
  unfinished(enqueue(disabledJob, { userId, seenAt }, { jobId: `${disabledJob.name}.${userId}`, removeOnComplete: true, removeOnFail: true })
    .catch((error: unknown) => logger.error({ err: error, userId }, "nobody was told that a person is disabled at Keycloak; the next refresh tells it again")));
}
