import { Redis, type RedisOptions } from "ioredis";
import { parseRedisAddress } from "./redis-address";

/** A client for the address, whichever kind it is. A Sentinel that does not answer is left for the next within a second. */
export function connectTo(url: string, options: RedisOptions): Redis {
  const address = parseRedisAddress(url);
  if (address.kind === "server") return new Redis(address.url, options);
  const { sentinels, name, tls, database, username, password, sentinelUsername, sentinelPassword } = address;
  return new Redis({
    connectTimeout: 2000, sentinelRetryStrategy: (attempt) => Math.min(attempt * 50, 500), ...options,
    sentinels, name, db: database, role: "master", sentinelCommandTimeout: 1000, updateSentinels: false,
    ...(username && { username }), ...(password && { password }), ...(sentinelUsername && { sentinelUsername }), ...(sentinelPassword && { sentinelPassword }),
    ...(tls && { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true }),
  });
}

/** The Sentinels one by one, for whoever wants to know whether all of them agree; none for a single server. */
export function connectToSentinels(url: string, options: RedisOptions): { name: string; clients: Redis[] } | null {
  const address = parseRedisAddress(url);
  if (address.kind === "server") return null;
  const { sentinels, name, tls, sentinelUsername, sentinelPassword } = address;
  return {
    name,
    clients: sentinels.map((sentinel) => new Redis({
      ...options, ...sentinel, ...(sentinelUsername && { username: sentinelUsername }), ...(sentinelPassword && { password: sentinelPassword }), ...(tls && { tls: {} }),
    })),
  };
}
