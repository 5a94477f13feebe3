import { Redis, type RedisOptions } from "ioredis";
import { parseRedisAddress } from "./redis-address";

type Command = Parameters<Redis["sendCommand"]>[0];

/** A host that vanishes sends no reset, and the kernel waits a quarter of an hour for its word. */
const silentMsMax = 3000;

/**
 * ioredis' own limit also fires when this process was too busy to read an answer that lies there, and a busy moment is no outage. This
 * one reads what has arrived before it gives up. A connection on which nothing has been answered for a while is given up too, so that
 * the next one may lead to whoever has taken over.
 */
class PatientRedis extends Redis {
  private readonly limitMs: number | undefined;
  /** When the first command was sent that has timed out with nothing answered since. */
  private silentSince: number | null = null;

  constructor({ commandTimeout, ...rest }: RedisOptions, url?: string) {
    const options = { ...rest, replyMapping: "legacy" as const };
    if (url === undefined) super(options);
    else super(url, options);
    this.limitMs = commandTimeout;
  }

  override sendCommand(command: Command, stream?: Parameters<Redis["sendCommand"]>[1]): unknown {
    if (this.limitMs !== undefined) this.limit(command, this.limitMs);
    return super.sendCommand(command, stream);
  }

  private limit(command: Command, ms: number): void {
    const { stream } = this;
    const sentAt = performance.now();
    let timedOut = false;
    const giveUp = () => {
      if (command.isSettled) return;
      timedOut = true;
      command.reject(new Error("Command timed out"));
      this.silentSince ??= sentAt;
      if (performance.now() - this.silentSince < silentMsMax) return;
      this.silentSince = null;
      if (this.stream === stream) stream.destroy();
    };
    // Sockets are read between the timers and the first immediate; the second is for what that reading has led to.
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), ms);
    const settled = () => {
      clearTimeout(timer);
      if (!timedOut) this.silentSince = null;
    };
    (command.promise as Promise<unknown>).then(settled, settled);
  }
}

/** A client for the address, whichever kind it is. A Sentinel that does not answer is left for the next within a second. */
export function connectTo(url: string, options: RedisOptions): Redis {
  const address = parseRedisAddress(url);
  if (address.kind === "server") return new PatientRedis(options, address.url);
  const { sentinels, name, tls, database, username, password, sentinelUsername, sentinelPassword } = address;
  return new PatientRedis({
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
