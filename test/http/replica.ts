import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { inject } from "vitest";
import { freePort } from "../../dev/lib/postgres";
import { stopChild } from "../../dev/lib/process";

/** `log` is what it has logged so far, one JSON object a line: nothing, unless `env` lowers `LOG_LEVEL`. */
export type Replica = { url: string; pid: number; child: ChildProcess; log(): string; stop(): Promise<void>; signal(signal: NodeJS.Signals): void };

/** One more server process on the same stores, as a replica behind a load balancer would be; the API alone unless `env` says otherwise. What is undefined there is not set. */
export async function startReplica(env: Record<string, string | undefined> = {}): Promise<Replica> {
  const { child, url, log } = await spawnServer(env);
  await new Promise<void>((done, fail) => {
    child.once("message", () => done());
    child.once("exit", (code) => fail(new Error(`the replica ended while starting (${code})`)));
  });
  return { url, child, log, pid: child.pid ?? 0, stop: () => stopChild(child, "SIGTERM", 40_000), signal: (signal) => void child.kill(signal) };
}

/** The same without waiting for it to be ready. */
export async function spawnServer(env: Record<string, string | undefined> = {}, runner: string[] = ["dist/server.mjs"]): Promise<{ child: ChildProcess; url: string; words(): string; log(): string }> {
  const port = await freePort();
  const child = spawn(process.execPath, runner, {
    env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", ...inject("webEnv"), SERVER_MODE: "api", WORKER: "off", PORT: String(port), LOG_LEVEL: "fatal", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let words = "";
  let log = "";
  child.stdout?.on("data", (chunk: Buffer) => { log += chunk.toString(); });
  child.stderr?.on("data", (chunk: Buffer) => { words += chunk.toString(); });
  return { child, url: `http://localhost:${port}`, words: () => words, log: () => log };
}

/** The processes that this one has started, with their command lines. */
export function childrenOf(pid: number): { pid: number; command: string }[] {
  return execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((found) => (found && Number(found[2]) === pid ? [{ pid: Number(found[1]), command: found[3] ?? "" }] : []));
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
