import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./postgres";
import { type Running, stopChild } from "./process";

/** `redis-server` or `valkey-server` on the PATH; as root on Debian it is installed, elsewhere one line says how. */
export function findRedisServer(say: (line: string) => void): string {
  const onPath = () => which("redis-server") ?? which("valkey-server");
  const found = onPath();
  if (found) return found;
  if (process.getuid?.() === 0 && which("apt-get")) {
    say("installing redis-server (apt-get)");
    try {
      const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
      execFileSync("apt-get", ["update", "-q"], quiet);
      execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", "redis-server"], quiet);
    } catch {
      // Said below, in one line.
    }
    const installed = onPath();
    if (installed) return installed;
  }
  throw new Error(`Redis is missing: install it (${process.platform === "darwin" ? "brew install redis" : "apt-get install redis-server"}) and run this again.`);
}

function which(name: string): string | null {
  for (const folder of `${process.env.PATH ?? ""}:/usr/bin:/usr/local/bin:/usr/sbin:/opt/homebrew/bin`.split(":").filter(Boolean)) {
    try {
      execFileSync(join(folder, name), ["--version"], { stdio: "ignore" });
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  return null;
}

export type RedisServer = Running & { url: string; port: number };

/** A private Redis on loopback that keeps its data in `dir` and never evicts. One that an interrupted run left is ended first. */
export async function startRedis(dir: string, options: { port?: number; throwaway?: boolean; say?: (line: string) => void } = {}): Promise<RedisServer> {
  const binary = findRedisServer(options.say ?? (() => undefined));
  const folder = resolve(dir);
  mkdirSync(folder, { recursive: true });
  const pidFile = join(folder, "pid");
  await endLeftover(pidFile);
  const port = options.port ?? (await freePort());
  const child = spawn(binary, ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", options.throwaway ? "no" : "yes", "--maxmemory-policy", "noeviction"], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let words = "";
  const hear = (chunk: Buffer) => { words = (words + chunk.toString()).slice(-2000); };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
  const client = new Redis(port, "127.0.0.1", { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  try {
    await new Promise<void>((done, fail) => {
      client.once("ready", () => done());
      child.once("exit", () => fail(new Error(`Redis ended while starting: ${words.trim().split("\n").at(-1) ?? ""}`)));
    });
  } finally {
    client.disconnect();
  }
  writeFileSync(pidFile, `${child.pid} ${port}`);
  return {
    pid: child.pid ?? 0, port, url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await stopChild(child);
      rmSync(pidFile, { force: true });
    },
  };
}

/** Ends a server of ours that outlived its launcher; a pid counts only while its command line still names our port. */
async function endLeftover(pidFile: string): Promise<void> {
  try {
    const [pid = "", port = ""] = readFileSync(pidFile, "utf8").split(" ");
    const command = () => execFileSync("ps", ["-o", "args=", "-p", pid], { encoding: "utf8" });
    if (!command().includes(`:${port}`)) return;
    process.kill(Number(pid), "SIGTERM");
    while (command()) await new Promise((done) => setTimeout(done, 50));
  } catch {
    // None was left, or it has gone.
  }
}
