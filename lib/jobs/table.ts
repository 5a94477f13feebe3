import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Context, jobContext } from "@/lib/access";
import { sealAudit, sealAuditJob } from "@/lib/audit";
import { chatflowSyncJob, syncChatflows } from "@/lib/chatflows";
import { creditReleaseJob, releaseExpiredHolds } from "@/lib/credits";
import { keepGrantsAlive, keepGrantsAliveJob, tryGrant, tryGrantJob, warnOwners, warnOwnersJob } from "@/lib/grants";
import { endQuietOverlaps, endQuietOverlapsJob } from "@/lib/keys";
import { peopleSweepJob, peopleSyncJob, sweepPeople, syncPeople, takeOverDisabled } from "@/lib/people";
import { attemptCleanupJob, forgetOldAttempts } from "@/lib/platform/attempts";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import type { JobType } from "@/lib/platform/queue";
import { canReadKeycloak } from "@/lib/platform/keycloak-admin";
import { finishInvalidations } from "@/lib/platform/records";
import { disabledJob } from "@/lib/tenants";
import { cleanUpTokens, rotateSigningKeyJob, rotateSigningKeyWhenDue, tokenCleanupJob } from "@/lib/tokens";
import { foldUsage, keepRequestLog, requestLogJob, usageFoldJob } from "@/lib/usage";

const outboxJob = { name: "outbox.finish", payload: z.object({}) };

type Row = {
  type: JobType<z.ZodType>;
  /** How often a worker does it by itself; counted over all replicas together. */
  everyMs: () => number | null;
  /** Refuses as a conflict while another worker is at it: then it is being done, and has not failed. */
  mayMeetItself?: true;
} & ({ run: (payload: unknown) => Promise<unknown> } | { /** With the job as its own actor. */ runAsActor: (ctx: Context, payload: unknown) => Promise<unknown> });

/** Which verb runs when. Intervals keep the contract's promises: counters and sealed events at most 2 s after the call. */
export const jobs: Row[] = [
  { type: usageFoldJob, run: foldUsage, everyMs: () => 1000 },
  { type: endQuietOverlapsJob, run: endQuietOverlaps, everyMs: () => 1000 },
  { type: requestLogJob, run: keepRequestLog, everyMs: () => 3_600_000 },
  { type: sealAuditJob, run: sealAudit, everyMs: () => 1000 },
  { type: outboxJob, run: finishInvalidations, everyMs: () => 2000 },
  { type: creditReleaseJob, run: releaseExpiredHolds, everyMs: () => 30_000 },
  { type: tryGrantJob, run: (payload) => tryGrant(tryGrantJob.payload.parse(payload).userId), everyMs: () => null },
  { type: keepGrantsAliveJob, run: keepGrantsAlive, everyMs: () => 60_000 },
  { type: warnOwnersJob, run: warnOwners, everyMs: () => 600_000 },
  { type: attemptCleanupJob, run: forgetOldAttempts, everyMs: () => 600_000 },
  { type: rotateSigningKeyJob, run: rotateSigningKeyWhenDue, everyMs: () => 3_600_000 },
  { type: tokenCleanupJob, run: cleanUpTokens, everyMs: () => 600_000 },
  { type: disabledJob, runAsActor: (ctx, payload) => takeOverDisabled(ctx, disabledJob.payload.parse(payload)), everyMs: () => null },
  { type: peopleSweepJob, runAsActor: sweepPeople, everyMs: () => (canReadKeycloak() && env().PEOPLE_SWEEP_SECONDS > 0 ? env().PEOPLE_SWEEP_SECONDS * 1000 : null) },
  { type: peopleSyncJob, runAsActor: syncPeople, mayMeetItself: true, everyMs: () => (canReadKeycloak() && env().ENABLE_USER_SYNC ? Math.round(env().USER_SYNC_INTERVAL_HOURS * 3_600_000) : null) },
  { type: chatflowSyncJob, runAsActor: syncChatflows, mayMeetItself: true, everyMs: () => (env().ENABLE_CHATFLOW_SYNC && env().FLOWISE_API_KEY ? Math.round(env().CHATFLOW_SYNC_INTERVAL_HOURS * 3_600_000) : null) },
];

/** Runs the verb of a job that a worker has claimed. @throws Error for a name that has none, ZodError for a payload that is not its own */
export async function runJob({ name, data }: { name: string; data: unknown }): Promise<unknown> {
  const row = jobs.find(({ type }) => type.name === name);
  if (!row) throw new Error(`no verb for the job ${name}`);
  const payload = row.type.payload.parse(data);
  try {
    return await ("run" in row ? row.run(payload) : row.runAsActor(jobContext(name, randomUUID()), payload));
  } catch (error) {
    if (row.mayMeetItself && isSluiceError(error, "conflict")) return null;
    throw error;
  }
}
