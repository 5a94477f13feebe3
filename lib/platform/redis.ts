import type { Redis } from "ioredis";
import { env } from "./env";
import { storeUnavailable } from "./errors";
import { logger } from "./logger";
import { metrics } from "./metrics";
import { connectTo } from "./redis-connect";

const shared = globalThis as typeof globalThis & { sluiceRedis?: { client: Redis; runId: string | null } };

function connect() {
  const client = connectTo(env().REDIS_URL, {
    // The defaults (queue while offline, 20 retries) turn an outage into hanging requests. And what was under way when a
    // connection broke must not be said again to whoever answers next: it may name the run_id of the Redis before.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 50, 500),
    // After a fail-over the old primary is a replica: leave it, and ask again where the primary is.
    reconnectOnError: (error) => (error.message.startsWith("READONLY") ? 1 : false),
  });
  const held = { client, runId: null as string | null };
  client.on("error", (error) => logger.warn({ err: error }, "redis"));
  client.on("close", () => { held.runId = null; });
  return held;
}

function held() {
  shared.sluiceRedis ??= connect();
  return shared.sluiceRedis;
}

/** The one client for commands and scripts: fails within half a second rather than waits. */
export function redis(): Redis {
  return held().client;
}

/**
 * The `run_id` of the Redis that this process talks to: another one (a fail-over, a restart) makes every remembered
 * verdict a miss. Asked once per connection.
 */
export async function redisRunId(): Promise<string> {
  const current = held();
  if (current.runId) return current.runId;
  await redisReady();
  const info = await current.client.info("server");
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  if (!runId) throw storeUnavailable(new Error("Redis does not tell its run_id"));
  current.runId = runId;
  return runId;
}

let becomingReady: Promise<void> | undefined;

/** Waits for the first connection of a new process, at most `ms`; afterwards an outage fails at once. All who wait share one listener. */
export async function redisReady(ms = 2000): Promise<void> {
  const { client } = held();
  if (client.status === "ready") return;
  becomingReady ??= new Promise<void>((resolve) => client.once("ready", resolve)).finally(() => { becomingReady = undefined; });
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(storeUnavailable(new Error(`Redis is ${client.status}`))), ms); });
  await Promise.race([becomingReady, tooLong]).finally(() => clearTimeout(timer));
}

/** A connection of its own for a subscriber or a blocking reader; the caller closes it. */
export function newRedis(options: { blocking?: boolean } = {}): Redis {
  const client = connectTo(env().REDIS_URL, {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 50, 500),
    // Nothing that is asked here blocks for longer than half of this; a host that vanished would be waited for until the kernel despairs.
    socketTimeout: 20_000,
    ...(options.blocking ? {} : { connectTimeout: 2000 }),
  });
  client.on("error", (error) => logger.debug({ err: error }, "redis"));
  return client;
}

/** Whether this failure means that Redis is away or takes no writes, as opposed to a command of ours being wrong. */
export function isRedisDown(error: unknown): boolean {
  return error instanceof Error && (/Command timed out|Connection is closed|Stream isn't writeable|ECONNREFUSED|ECONNRESET|EPIPE|max retries per request|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM command not allowed/i.test(error.message) || error.name === "MaxRetriesPerRequestError");
}

/** Runs store commands; an outage becomes `store_unavailable`, anything else travels on. */
export async function withRedis<T>(run: (client: Redis) => Promise<T>): Promise<T> {
  try {
    if (redis().status !== "ready") await redisReady(800);
    const from = performance.now();
    const answer = await run(redis());
    metrics.redis.observe((performance.now() - from) / 1000);
    return answer;
  } catch (error) {
    if (isRedisDown(error)) throw storeUnavailable(error);
    throw error;
  }
}

export async function closeRedis(): Promise<void> {
  const current = shared.sluiceRedis;
  shared.sluiceRedis = undefined;
  becomingReady = undefined;
  current?.client.disconnect();
}
