import { randomUUID } from "node:crypto";
import { SluiceError } from "@/lib/platform/errors";
import { defineScript, runScript } from "@/lib/platform/records";
import { withRedis } from "@/lib/platform/redis";

const ttlMs = 15_000;
const renewEveryMs = 5000;

const renew = defineScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`);
const release = defineScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`);

/**
 * One stream per conversation at a time, on whatever replica: Flowise gives the slot to the later one and lets the earlier
 * fall silent for ever. Renewed while the stream lives; a process that dies lets go after seconds.
 *
 * @returns what lets go of it. @throws SluiceError `conflict`, `store_unavailable`
 */
export async function lockConversation(flowiseId: string, upstreamChatId: string): Promise<() => Promise<void>> {
  const key = `sl:stream:${flowiseId}:${upstreamChatId}`;
  const owner = randomUUID();
  const taken = await withRedis((client) => client.set(key, owner, "PX", ttlMs, "NX"));
  if (taken === null) throw new SluiceError("conflict", "This conversation is still being answered.", { retryAfterSeconds: 1 });
  const timer = setInterval(() => void withRedis((client) => runScript(client, renew, [key], [owner, ttlMs])).catch(() => undefined), renewEveryMs).unref();
  return async () => {
    clearInterval(timer);
    // It ends by itself in seconds, should Redis be away now.
    await withRedis((client) => runScript(client, release, [key], [owner])).catch(() => undefined);
  };
}
