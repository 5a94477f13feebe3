import { env } from "@/lib/platform/env";
import { storeUnavailable } from "@/lib/platform/errors";
import { metrics } from "@/lib/platform/metrics";
import { runScript } from "@/lib/platform/records";
import { redis, redisReady, redisRunId } from "@/lib/platform/redis";
import { checkScript } from "./check.lua";

/** One check: the record to start from, and what `checkScript` is told of the call. */
export type CheckItem = { key: string; arg: string };
/** What `checkScript` answers for one item: the packed verdict and the person as JSON. */
export type CheckReply = { packed: string; person: string };

type Waiting = { item: CheckItem; resolve(reply: CheckReply): void; reject(error: unknown): void };

/** More would hold Redis, which does one thing at a time, for longer than a few milliseconds. */
const batchMax = 64;

let waiting: Waiting[] = [];
let awaySince = 0;
/** While Redis is away only one batch in this time waits for it; the others go on without it at once. */
const patienceMs = 3000;

/**
 * Asks Redis for a verdict. What is asked in the same turn of the event loop travels in one script call, because what a
 * check costs this process is the command, not the script. A bad record fails its own item only.
 *
 * @throws SluiceError `store_unavailable`, or what ioredis throws, to all of a batch whose call failed.
 */
export function askRedis(item: CheckItem): Promise<CheckReply> {
  if (env().KEY_CHECKS === "single") return runBatch([item]).then(([reply]) => reply as CheckReply);
  return new Promise((resolve, reject) => {
    if (waiting.push({ item, resolve, reject }) === 1) setImmediate(flush);
  });
}

function flush(): void {
  const turn = waiting;
  waiting = [];
  for (let from = 0; from < turn.length; from += batchMax) void settle(turn.slice(from, from + batchMax));
}

async function settle(batch: Waiting[]): Promise<void> {
  try {
    const replies = await runBatch(batch.map(({ item }) => item));
    batch.forEach(({ resolve }, i) => resolve(replies[i] as CheckReply));
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}

/** @returns a reply for each item, in order, as if they had been asked one after the other. */
export async function runBatch(items: CheckItem[]): Promise<CheckReply[]> {
  const client = redis();
  if (client.status !== "ready") await waitForRedis(client.status);
  awaySince = 0;
  const { requests, window } = env().AUTH_FAILURE_LIMIT;
  const from = performance.now();
  const answer = await runScript(client, checkScript, items.map(({ key }) => key), [await redisRunId(), `${requests}|${window}`, ...items.map(({ arg }) => arg)]);
  metrics.redis.observe((performance.now() - from) / 1000);
  if (!isReplies(answer, items.length * 2)) throw new Error("the key check's script answered something else");
  const replies = answer;
  return items.map((_, i) => ({ packed: replies[2 * i] ?? "", person: replies[2 * i + 1] ?? "" }));
}

async function waitForRedis(status: string): Promise<void> {
  if (Date.now() - awaySince < patienceMs) throw storeUnavailable(new Error(`Redis is ${status}`));
  try {
    await redisReady(500);
  } catch (error) {
    awaySince = Date.now();
    throw error;
  }
}

/** By hand: this is asked of every call, and a schema would take longer than the check. */
function isReplies(answer: unknown, length: number): answer is string[] {
  return Array.isArray(answer) && answer.length === length && answer.every((part) => typeof part === "string");
}
