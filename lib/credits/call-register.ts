import { now } from "@/lib/platform/clock";
import { withRedis } from "@/lib/platform/redis";

/**
 * What PostgreSQL could not be told of a call, kept in Redis so that it survives the process. Written only while PostgreSQL does not
 * answer; the job reads it before it calls a hold lost.
 */
const answeredKey = "sl:credits:answered";
const vouchedKey = "sl:credits:vouched";

/** A call that was answered, or left with the engine at work: its hold is to be settled. */
export type AnsweredCall = { holdId: string; attempt?: string };

/** @throws SluiceError `store_unavailable` */
export async function noteAnswered({ holdId, attempt }: AnsweredCall): Promise<void> {
  await withRedis((client) => client.hset(answeredKey, holdId, attempt ?? ""));
}

export async function forgetAnswered(holdId: string): Promise<void> {
  await withRedis((client) => client.hdel(answeredKey, holdId));
}

export async function listAnswered(): Promise<AnsweredCall[]> {
  const noted = await withRedis((client) => client.hgetall(answeredKey));
  return Object.entries(noted).map(([holdId, attempt]) => ({ holdId, ...(attempt && { attempt }) }));
}

/** The process that made these holds is alive, although it could not renew them. */
export async function vouchFor(holdIds: string[], seconds: number): Promise<void> {
  const until = now() + seconds * 1000;
  await withRedis((client) => client.zadd(vouchedKey, ...holdIds.flatMap((id) => [until, id])));
}

/** Those of the holds that nothing is known of: neither answered nor vouched for. */
export async function withoutWord(holdIds: string[]): Promise<string[]> {
  if (holdIds.length === 0) return [];
  const [answered, until] = await withRedis(async (client) => {
    await client.zremrangebyscore(vouchedKey, "-inf", now());
    return Promise.all([client.hmget(answeredKey, ...holdIds), client.zmscore(vouchedKey, ...holdIds)]);
  });
  return holdIds.filter((_, i) => answered[i] === null && until[i] === null);
}
