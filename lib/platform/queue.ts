import { type JobsOptions, Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { z } from "zod";
import { newRedis } from "./redis";

/** A job's name with the schema of its payload; lives in the feature that wants the work, `lib/jobs` pairs it with a verb. */
export type JobType<S extends z.ZodType> = { name: string; payload: S };

export const queueName = "sluice";
/** Braces: a Redis Cluster hash tag, so that BullMQ's scripts find all their keys in one slot. */
export const queuePrefix = "{jobs}";

const shared = globalThis as typeof globalThis & { sluiceQueue?: { queue: Queue; connection: Redis } };

export function queue(): Queue {
  if (!shared.sluiceQueue) {
    const connection = newRedis({ blocking: true });
    const made = new Queue(queueName, {
      connection,
      prefix: queuePrefix,
      defaultJobOptions: { attempts: 5, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: 100, removeOnFail: 1000 },
    });
    made.on("error", () => undefined);
    shared.sluiceQueue = { queue: made, connection };
  }
  return shared.sluiceQueue.queue;
}

/** Asks for work to be done later, by whichever worker is free. The payload is parsed again where it is done. */
export async function enqueue<S extends z.ZodType>(type: JobType<S>, payload: z.input<S>, options?: JobsOptions): Promise<void> {
  await queue().add(type.name, type.payload.parse(payload), options);
}

export async function closeQueue(): Promise<void> {
  const current = shared.sluiceQueue;
  shared.sluiceQueue = undefined;
  if (!current) return;
  await current.queue.close();
  current.connection.disconnect();
}
