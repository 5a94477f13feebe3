import type { Redis } from "ioredis";
import { z } from "zod";
import { now } from "./clock";
import { withRedis } from "./redis";

/** The last logout token that was accepted, by the client that it was made for: how an operator sees that Keycloak's word arrives. */
export const LogoutMark = z.object({ at: z.coerce.number(), sid: z.string() });
export type LogoutMark = z.infer<typeof LogoutMark>;

const key = (client: string) => `sl:bcl:last:${client}`;
const keptSeconds = 90 * 86_400;

/** Only a word for the operator: failing to leave it does not make a sign-out fail. */
export async function noteLogoutToken({ clients, sid }: { clients: string[]; sid: string | null }): Promise<void> {
  await withRedis(async (redis) => {
    for (const client of clients) await redis.multi().hset(key(client), { at: now(), sid: sid ?? "" }).expire(key(client), keptSeconds).exec();
  }).catch(() => undefined);
}

/** @returns null when none was accepted in 90 days. */
export async function readLogoutMark(redis: Redis, client: string): Promise<LogoutMark | null> {
  const mark = LogoutMark.safeParse(await redis.hgetall(key(client)));
  return mark.success ? mark.data : null;
}
