import type { Redis } from "ioredis";
import type { Env } from "@/lib/platform/env";
import { parseRedisAddress } from "@/lib/platform/redis-address";
import { connectTo } from "@/lib/platform/redis-connect";
import { type Area, Blocked, type Check, failed, notApplicable, once, passed, type Verdict } from "../check";
import { isHere } from "../where";
import { sentinelChecks } from "./sentinel";

/** Above the first one it is worth a word, above the second every request suffers. */
const latencyMs = { noted: 20, max: 100 };
const pings = 10;

export function redisArea(env: Env): Area {
  const client = connectTo(env.REDIS_URL, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 3000, commandTimeout: 2000, retryStrategy: () => null, sentinelRetryStrategy: () => null });
  // Without a listener ioredis writes to standard error.
  let lastError: Error | undefined;
  client.on("error", (error) => { lastError = error; });
  const connected = once("the connection", async () => {
    await client.connect().catch((error: unknown) => { throw lastError ?? error; });
    return client;
  });
  const info = async () => infoOf(await (await connected()).info());
  const check = (name: string, cure: string, run: Check["run"]): Check => ({ name, cure, run });
  const look = "let this user of Redis run INFO";
  return {
    name: "Redis",
    close: async () => client.disconnect(),
    checks: [
      check("answers", "see that REDIS_URL is right (user, password, rediss:// for TLS) and reachable from here", async () => judgeLatency(await latency(await connected()), env.REDIS_URL)),
      check("version", look, async () => judgeVersion(await info())),
      check("is a primary", look, async () => judgeRole(await info())),
      check("never evicts", look, async () => judgePolicy((await info()).maxmemory_policy)),
      check("keeps its data", look, async () => judgePersistence(await info(), await saveRule(await connected()))),
      ...sentinelChecks(env.REDIS_URL, connected),
    ],
  };
}

async function latency(client: Redis): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < pings; i++) {
    const start = performance.now();
    await client.ping();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[pings / 2] ?? 0;
}

/** Managed services forbid CONFIG: null then. */
async function saveRule(client: Redis): Promise<string | null> {
  const answer = await client.config("GET", "save").catch(() => null);
  return Array.isArray(answer) ? String(answer[1] ?? "") : null;
}

type Info = Record<string, string>;

export function infoOf(text: string): Info {
  return Object.fromEntries(text.split(/\r?\n/).filter((line) => line.includes(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

export function judgeLatency(ms: number, url: string): Verdict {
  const detail = `a PING takes ${ms.toFixed(1)} ms`;
  if (ms > latencyMs.max) return failed(detail, "bring Redis nearer: every request asks it once or twice");
  if (isBare(url)) return passed(detail, "not encrypted on the way: use rediss:// (or rediss+sentinel://) unless the network is yours alone");
  return passed(detail, ms > latencyMs.noted ? "that is slow: every request asks it once or twice" : undefined);
}

/** Whether what is said to Redis leaves this machine unencrypted. */
function isBare(url: string): boolean {
  const address = parseRedisAddress(url);
  if (address.kind === "sentinel") return !address.tls && !address.sentinels.every(({ host }) => isHere(host));
  return url.startsWith("redis://") && !isHere(new URL(url).hostname);
}

export function judgeVersion(info: Info): Verdict {
  const version = info.valkey_version ? `Valkey ${info.valkey_version}` : info.redis_version;
  if (!version) throw new Blocked("Redis does not tell its version");
  // Valkey calls itself Redis 7.2 beside its own number.
  return Number.parseInt(info.redis_version ?? "", 10) >= 7 ? passed(version) : failed(version, "use Redis 7 or newer, or Valkey");
}

export function judgeRole(info: Info): Verdict {
  if (info.role === "master") return passed("master");
  return failed(`it is a ${info.role ?? "server without a role"}`, "point REDIS_URL at the primary: a replica takes no writes");
}

export function judgePolicy(policy: string | undefined): Verdict {
  if (policy === "noeviction") return passed(policy);
  return failed(policy ?? "unknown", "set maxmemory-policy noeviction: any other throws out sessions and marks of revocation when memory runs short, so people are signed out at random");
}

export function judgePersistence(info: Info, save: string | null): Verdict {
  if (info.aof_enabled === "1") return passed("append-only file");
  if (save) return passed("snapshots", "what came after the last one is lost with the process; appendonly yes loses at most a second");
  if (save === null) return notApplicable("this service does not tell whether it takes snapshots: see that it does");
  return failed("neither an append-only file nor snapshots", "set appendonly yes: a restart now signs everybody out and forgets queued jobs");
}
