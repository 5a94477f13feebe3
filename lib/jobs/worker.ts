import { Worker } from "bullmq";
import { logger } from "@/lib/platform/logger";
import { newRedis } from "@/lib/platform/redis";
import { queue, queueName, queuePrefix } from "@/lib/platform/queue";
import { jobs, runJob } from "./table";

export type RunningWorker = { close(): Promise<void> };

/**
 * Runs the jobs, beside however many other workers. A failed job is tried again with backoff and at last put aside,
 * loudly. The schedule lives in Redis, so it is written anew whenever the connection comes back: Redis may have lost it.
 */
export async function startWorker(): Promise<RunningWorker> {
  const connection = newRedis({ blocking: true });
  const worker = new Worker(queueName, runJob, { connection, prefix: queuePrefix, concurrency: 4 });
  worker.on("error", (error) => logger.warn({ err: error }, "worker"));
  worker.on("failed", (job, error) => {
    const last = job ? job.attemptsMade >= (job.opts.attempts ?? 1) : true;
    logger[last ? "error" : "warn"]({ err: error, job: job?.name, attempt: job?.attemptsMade }, last ? "job put aside" : "job failed, will be tried again");
  });
  const plan = () => schedule().catch((error: unknown) => logger.warn({ err: error }, "the schedule could not be written"));
  connection.on("ready", () => void plan());
  await plan();
  // The schedule waits for its next full interval; a worker that starts looks once at once.
  for (const { type, everyMs } of jobs) if (everyMs() !== null) await queue().add(type.name, {}, { jobId: `${type.name}.at-start`, attempts: 3, removeOnComplete: true, removeOnFail: true });
  return {
    async close() {
      // A job that takes longer is taken up again by another worker, as if this one had died.
      await Promise.race([worker.close(), new Promise((done) => setTimeout(done, 5000).unref())]);
      connection.disconnect();
    },
  };
}

async function schedule(): Promise<void> {
  for (const { type, everyMs } of jobs) {
    const every = everyMs();
    if (every === null) await queue().removeJobScheduler(type.name);
    // A job that comes again by itself needs no second attempt, and its finished runs no memory.
    else await queue().upsertJobScheduler(type.name, { every }, { name: type.name, data: {}, opts: { attempts: 1, removeOnComplete: true, removeOnFail: 50 } });
  }
}
