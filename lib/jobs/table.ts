import { randomUUID } from "node:crypto";
import { z } from "zod";
import { jobContext } from "@/lib/access";
import { sealAudit, sealAuditJob } from "@/lib/audit";
import { chatflowSyncJob, syncChatflows } from "@/lib/chatflows";
import { creditReleaseJob, releaseExpiredHolds } from "@/lib/credits";
import { keepGrantsAlive, keepGrantsAliveJob, tryGrant, tryGrantJob, warnOwners, warnOwnersJob } from "@/lib/grants";
import { endQuietOverlaps, endQuietOverlapsJob } from "@/lib/keys";
import { peopleSweepJob, peopleSyncJob, sweepPeople, syncPeople } from "@/lib/people";
import { attemptCleanupJob, forgetOldAttempts } from "@/lib/platform/attempts";
import { env } from "@/lib/platform/env";
import type { JobType } from "@/lib/platform/queue";
import { canReadKeycloak } from "@/lib/platform/keycloak-admin";
import { finishInvalidations } from "@/lib/platform/records";
import { cleanUpTokens, rotateSigningKeyJob, rotateSigningKeyWhenDue, tokenCleanupJob } from "@/lib/tokens";
import { foldUsage, keepRequestLog, requestLogJob, usageFoldJob } from "@/lib/usage";

const outboxJob = { name: "outbox.finish", payload: z.object({}) };

type Row = {
  type: JobType<z.ZodType>;
  run(payload: unknown): Promise<unknown>;
  /** How often a worker does it by itself; counted over all replicas together. */
  everyMs: () => number | null;
};

/** Which verb runs when. Intervals keep the contract's promises: counters and sealed events at most 2 s after the call. */
export const jobs: Row[] = [
  { type: usageFoldJob, run: () => foldUsage(), everyMs: () => 1000 },
  { type: endQuietOverlapsJob, run: () => endQuietOverlaps(), everyMs: () => 1000 },
  { type: requestLogJob, run: () => keepRequestLog(), everyMs: () => 3_600_000 },
  { type: sealAuditJob, run: () => sealAudit(), everyMs: () => 1000 },
  { type: outboxJob, run: () => finishInvalidations(), everyMs: () => 2000 },
  { type: creditReleaseJob, run: () => releaseExpiredHolds(), everyMs: () => 30_000 },
  { type: tryGrantJob, run: (payload) => tryGrant(tryGrantJob.payload.parse(payload).userId), everyMs: () => null },
  { type: keepGrantsAliveJob, run: () => keepGrantsAlive(), everyMs: () => 60_000 },
  { type: warnOwnersJob, run: () => warnOwners(), everyMs: () => 600_000 },
  { type: attemptCleanupJob, run: () => forgetOldAttempts(), everyMs: () => 600_000 },
  { type: rotateSigningKeyJob, run: () => rotateSigningKeyWhenDue(), everyMs: () => 3_600_000 },
  { type: tokenCleanupJob, run: () => cleanUpTokens(), everyMs: () => 600_000 },
  {
    type: peopleSweepJob,
    run: () => sweepPeople(jobContext(peopleSweepJob.name, randomUUID())),
    everyMs: () => (canReadKeycloak() && env().PEOPLE_SWEEP_SECONDS > 0 ? env().PEOPLE_SWEEP_SECONDS * 1000 : null),
  },
  {
    type: peopleSyncJob,
    run: () => syncPeople(jobContext(peopleSyncJob.name, randomUUID())),
    everyMs: () => (canReadKeycloak() && env().ENABLE_USER_SYNC ? Math.round(env().USER_SYNC_INTERVAL_HOURS * 3_600_000) : null),
  },
  {
    type: chatflowSyncJob,
    run: () => syncChatflows(jobContext(chatflowSyncJob.name, randomUUID())),
    everyMs: () => (env().ENABLE_CHATFLOW_SYNC && env().FLOWISE_API_KEY ? Math.round(env().CHATFLOW_SYNC_INTERVAL_HOURS * 3_600_000) : null),
  },
];
