import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./postgres";
import { type Running, stopChild } from "./process";
import { findRedisServer } from "./redis";

export type SentinelSet = {
  /** As `REDIS_URL` names it. */
  url: string;
  primary(): Promise<{ port: number; runId: string }>;
  /** Ends the primary as a power cut would, and waits until the Sentinels have chosen another. `then` comes right after its end. */
  killPrimary(then?: () => void): Promise<void>;
  /** The replicas stand still and hear nothing more. @returns what lets them go on. */
  freezeReplicas(): Promise<() => void>;
  stop(): Promise<void>;
};

const downAfterMs = 2000;
const name = "main";

/** One primary, two replicas and three Sentinels on free ports of the loopback address; nothing is kept on disk. */
export async function startSentinelSet(dir: string): Promise<SentinelSet> {
  const binary = findRedisServer(() => undefined);
  const folder = resolve(dir);
  const started = new Map<number, Running>();
  const stop = async () => {
    await Promise.all([...started.values()].map((one) => one.stop()));
    started.clear();
  };
  const start = (port: number, args: string[]) => {
    const child = spawn(binary, args, { stdio: "ignore" });
    started.set(port, { pid: child.pid ?? 0, stop: () => stopChild(child, "SIGKILL") });
  };
  try {
    const ports = await Promise.all(Array.from({ length: 6 }, () => freePort()));
    const [servers, sentinels] = [ports.slice(0, 3), ports.slice(3)];
    for (const [i, port] of servers.entries()) {
      const home = join(folder, `server-${i}`);
      mkdirSync(home, { recursive: true });
      // As operators should have it: cut off from its replicas, a primary stops before its successor is chosen.
      start(port, ["--port", String(port), "--bind", "127.0.0.1", "--dir", home, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--repl-diskless-sync-delay", "0",
        "--min-replicas-to-write", "1", "--min-replicas-max-lag", "1", ...(i > 0 ? ["--replicaof", `127.0.0.1 ${servers[0]}`] : [])]);
    }
    for (const port of servers) await until(port, async (client) => (await client.ping()) === "PONG");
    for (const [i, port] of sentinels.entries()) {
      const home = join(folder, `sentinel-${i}`);
      mkdirSync(home, { recursive: true });
      const file = join(home, "sentinel.conf");
      writeFileSync(file, [`port ${port}`, "bind 127.0.0.1", `dir ${home}`, `sentinel monitor ${name} 127.0.0.1 ${servers[0]} 2`, `sentinel down-after-milliseconds ${name} ${downAfterMs}`, `sentinel failover-timeout ${name} 5000`, `sentinel parallel-syncs ${name} 2`, ""].join("\n"));
      start(port, [file, "--sentinel"]);
    }
    const field = async (client: Redis, key: string) => String(Object.fromEntries(pairs(await client.call("SENTINEL", "MASTER", name)))[key]);
    for (const port of sentinels) await until(port, async (client) => (await field(client, "num-other-sentinels")) === "2" && (await field(client, "num-slaves")) === "2");
    await until(servers[0] ?? 0, async (client) => /min_slaves_good_slaves:[12]/.test(await client.info("replication")));

    const addressAt = async (port: number) => {
      const answer = await asked(port, (client) => client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name));
      return Array.isArray(answer) ? Number(answer[1]) : 0;
    };
    const primary: SentinelSet["primary"] = async () => {
      const port = await addressAt(sentinels[0] ?? 0);
      const info = await asked(port, (client) => client.info("server"));
      return { port, runId: /^run_id:(\w+)/m.exec(info)?.[1] ?? "" };
    };
    return {
      url: `redis+sentinel://${sentinels.map((port) => `127.0.0.1:${port}`).join(",")}/${name}`,
      primary,
      stop,
      freezeReplicas: async () => {
        const { port } = await primary();
        const pids = servers.filter((server) => server !== port).flatMap((server) => started.get(server)?.pid ?? []);
        for (const pid of pids) process.kill(pid, "SIGSTOP");
        return () => { for (const pid of pids) process.kill(pid, "SIGCONT"); };
      },
      killPrimary: async (then) => {
        const { port } = await primary();
        await started.get(port)?.stop();
        started.delete(port);
        then?.();
        // Every one of them: a client asks whichever it likes.
        for (const sentinel of sentinels) await until(sentinel, async () => ![0, port].includes(await addressAt(sentinel)));
        const next = await primary();
        await until(next.port, async (client) => /role:master[\s\S]*min_slaves_good_slaves:1/.test(await client.info("replication")));
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function pairs(answer: unknown): [string, unknown][] {
  if (answer instanceof Map) return [...answer] as [string, unknown][];
  if (Array.isArray(answer)) return answer.flatMap((key, i) => (i % 2 ? [] : [[String(key), answer[i + 1]] as [string, unknown]]));
  return Object.entries(answer ?? {});
}

async function asked<T>(port: number, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(port, "127.0.0.1", { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1000, commandTimeout: 1000, maxRetriesPerRequest: 0 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

async function until(port: number, met: (client: Redis) => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    if (await asked(port, met).catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Redis on port ${port} did not become what it should within 30 s`);
}
