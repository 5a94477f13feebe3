import { spawn } from "node:child_process";
import { inject } from "vitest";
import { freePort } from "../../dev/lib/postgres";
import { stopChild } from "../../dev/lib/process";

export type Replica = { url: string; pid: number; stop(): Promise<void>; signal(signal: NodeJS.Signals): void };

/** One more API process on the same stores, as a replica behind a load balancer would be. */
export async function startReplica(env: Record<string, string> = {}): Promise<Replica> {
  const port = await freePort();
  const child = spawn(process.execPath, ["dist/server.mjs"], {
    env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", ...inject("webEnv"), SERVER_MODE: "api", WORKER: "off", PORT: String(port), LOG_LEVEL: "error", ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await new Promise<void>((done, fail) => {
    child.once("message", () => done());
    child.once("exit", (code) => fail(new Error(`the replica ended while starting (${code})`)));
  });
  return { url: `http://localhost:${port}`, pid: child.pid ?? 0, stop: () => stopChild(child), signal: (signal) => void child.kill(signal) };
}
