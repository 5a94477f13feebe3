import { z } from "zod";
import { withRedis } from "@/lib/platform/redis";

/** How many sessions there are, and how many of them each key of `SESSION_KEKS` has sealed. */
export type SessionCount = { sessions: number; byKid: Record<string, number> };

const Kept = z.object({ sessions: z.int(), byKid: z.record(z.string(), z.int()) });
const keptKey = "sl:metrics:sessions";
const keptSeconds = 15;
/** Beyond this the count is not worth what it costs Redis, and nobody is told a number that is too small. */
const roundsMax = 1000;
const scanCount = 1000;
const kidsMax = 20_000;

/**
 * Looks through the store, at most each 15 s for all replicas together. Null when there are too many keys to look through.
 * @throws SluiceError `store_unavailable`
 */
export async function measureSessions(): Promise<SessionCount | null> {
  return withRedis(async (client) => {
    const kept = Kept.safeParse(parsed(await client.get(keptKey)));
    if (kept.success) return kept.data;
    const count: SessionCount = { sessions: 0, byKid: {} };
    let cursor = "0";
    for (let round = 0; round < roundsMax; round++) {
      const [next, keys] = await client.scan(cursor, "MATCH", "sl:s:{*}:m", "COUNT", scanCount);
      const room = Math.max(0, kidsMax - count.sessions);
      const found = await Promise.all(keys.slice(0, room).map((key) => client.hmget(key, "state", "kid")));
      count.sessions += keys.length - found.filter(([state]) => state !== "active").length;
      for (const [state, kid] of found) if (state === "active") count.byKid[kid ?? "unknown"] = (count.byKid[kid ?? "unknown"] ?? 0) + 1;
      cursor = next;
      if (cursor !== "0") continue;
      await client.set(keptKey, JSON.stringify(count), "EX", keptSeconds);
      return count;
    }
    return null;
  });
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
