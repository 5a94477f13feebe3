import type { Redis } from "ioredis";
import { parseRedisAddress } from "@/lib/platform/redis-address";
import { connectToSentinels } from "@/lib/platform/redis-connect";
import { type Check, failed, notApplicable, passed, type Verdict } from "../check";

/** What one Sentinel says of the primary; null where it did not answer or does not know the name. */
export type Said = { host: string; port: number; downAfterMs: number } | null;

/** What matters only where Redis is found by Sentinel; nothing for a single server. */
export function sentinelChecks(url: string, connected: () => Promise<Redis>): Check[] {
  const ask = async () => {
    const sentinels = connectToSentinels(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 2000, commandTimeout: 1500, retryStrategy: () => null });
    return sentinels ? Promise.all(sentinels.clients.map((client) => askOne(client, sentinels.name))) : [];
  };
  if (parseRedisAddress(url).kind === "server") return [];
  return [
    { name: "its Sentinels agree", cure: "see that every Sentinel in REDIS_URL is reachable from here", run: async () => judgeSentinels(await ask()) },
    { name: "a primary that is cut off stops", cure: "let this user of Redis run INFO", run: async () => judgeCutOff(await replicaRule(await connected()), await ask()) },
  ];
}

async function askOne(client: Redis, name: string): Promise<Said> {
  client.on("error", () => undefined);
  try {
    await client.connect();
    const settings = fieldsOf(await client.call("SENTINEL", "MASTER", name));
    // What clients are told, which in the middle of a fail-over is already the successor.
    const address = await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name);
    if (!Array.isArray(address)) return null;
    return { host: String(address[0]), port: Number(address[1]), downAfterMs: Number(settings["down-after-milliseconds"]) };
  } catch {
    return null;
  } finally {
    client.disconnect();
  }
}

/** A map, as RESP3 has it, or names and values in turn. */
function fieldsOf(answer: unknown): Record<string, string> {
  if (answer instanceof Map) return Object.fromEntries([...answer].map(([name, value]) => [String(name), String(value)]));
  if (Array.isArray(answer)) return Object.fromEntries(answer.flatMap((name, i) => (i % 2 ? [] : [[String(name), String(answer[i + 1])]])));
  return Object.fromEntries(Object.entries(answer ?? {}).map(([name, value]) => [name, String(value)]));
}

/** Null where a managed service forbids CONFIG. */
async function replicaRule(client: Redis): Promise<{ toWrite: number; maxLagSeconds: number } | null> {
  const answer = await client.config("GET", "min-replicas-*").catch(() => null);
  if (!answer) return null;
  const rule = fieldsOf(answer);
  return { toWrite: Number(rule["min-replicas-to-write"]), maxLagSeconds: Number(rule["min-replicas-max-lag"]) };
}

export function judgeSentinels(said: Said[]): Verdict {
  const there = said.filter((one) => one !== null);
  const names = [...new Set(there.map(({ host, port }) => `${host}:${port}`))];
  if (there.length < said.length) return failed(`${said.length - there.length} of ${said.length} Sentinels do not answer, or do not know the name`, "see that every Sentinel in REDIS_URL runs, is reachable from here, and monitors the primary under that name");
  if (names.length > 1) return failed(`they name ${names.join(" and ")}`, "look again in a minute; if it stays, let the Sentinels that are wrong forget the primary (SENTINEL RESET)");
  const detail = `${said.length} name ${names[0] ?? "nobody"}`;
  return said.length < 3 ? passed(detail, "with fewer than three Sentinels the loss of one may leave nobody to decide on a fail-over") : passed(detail);
}

/** A primary on the wrong side of a cut must refuse before another is chosen: it would go on admitting what is revoked there. */
export function judgeCutOff(rule: { toWrite: number; maxLagSeconds: number } | null, said: Said[]): Verdict {
  if (!rule) return notApplicable("this service does not tell: see that min-replicas-to-write is at least 1 there");
  const downAfterMs = Math.min(...said.flatMap((one) => (one ? [one.downAfterMs] : [])), Infinity);
  const cure = "on every server set min-replicas-to-write 1 and min-replicas-max-lag to fewer seconds than the Sentinels' down-after-milliseconds: else a primary that was cut off admits for up to a minute what was revoked at its successor";
  if (!(rule.toWrite >= 1)) return failed("min-replicas-to-write is 0", cure);
  if (rule.maxLagSeconds * 1000 >= downAfterMs) return failed(`min-replicas-max-lag is ${rule.maxLagSeconds} s, and the Sentinels wait ${downAfterMs / 1000} s`, cure);
  return passed(`without ${rule.toWrite} replica${rule.toWrite > 1 ? "s" : ""} for ${rule.maxLagSeconds} s it takes no writes`);
}
