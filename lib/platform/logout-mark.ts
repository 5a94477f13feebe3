import type { Redis } from "ioredis";
import { z } from "zod";
import { now } from "./clock";
import { withRedis } from "./redis";

/** The last logout token that was accepted, by the client that it was made for: how an operator sees that Keycloak's word arrives. */
export const LogoutMark = z.object({ at: z.coerce.number() });
export type LogoutMark = z.infer<typeof LogoutMark>;

const key = (client: string) => `sl:bcl:last:${client}`;
const sessionKey = (sid: string) => `sl:bcl:heard:${sid}`;
const keptSeconds = 90 * 86_400;
/** Long enough for whoever ended that session to look for it. */
const sessionKeptSeconds = 60;

/** Only a word for the operator: failing to leave it does not make a sign-out fail. */
export async function noteLogoutToken({ clients, sid }: { clients: string[]; sid: string | null }): Promise<void> {
  await withRedis(async (redis) => {
    for (const client of clients) await redis.multi().hset(key(client), { at: now() }).expire(key(client), keptSeconds).exec();
    // By name, since the last one of a client is soon somebody else's.
    if (sid) await redis.set(sessionKey(sid), clients.join(" "), "EX", sessionKeptSeconds);
  }).catch(() => undefined);
}

/** @returns null when none was accepted in 90 days. */
export async function readLogoutMark(redis: Redis, client: string): Promise<LogoutMark | null> {
  const mark = LogoutMark.safeParse(await redis.hgetall(key(client)));
  return mark.success ? mark.data : null;
}

/** Whether Keycloak told of the end of this session within the last minute. */
export async function wasLogoutHeard(redis: Redis, sid: string): Promise<boolean> {
  return (await redis.exists(sessionKey(sid))) === 1;
}
