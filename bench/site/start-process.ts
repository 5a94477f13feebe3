import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import { stopChild } from "../../dev/lib/process";
import { type Cores, pinned } from "../method/pinning";

/** A process under measurement or beside it. */
export type Started = { url: string; pid: number; stop(): Promise<void> };

type Options = { args: string[]; env: Record<string, string>; port: number; part: keyof Cores; logFile: string };

/**
 * Starts a Node process that says "ready" by IPC. Its output goes straight to a file: a pipe would make whoever reads it
 * part of the measurement.
 */
export async function startProcess({ args, env, port, part, logFile }: Options): Promise<Started> {
  const [file = "", ...rest] = pinned(part, [process.execPath, ...args]);
  const log = openSync(logFile, "a", 0o600);
  const child = spawn(file, rest, { env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", NODE_ENV: "production", ...env }, stdio: ["ignore", log, log, "ipc"], detached: true });
  await new Promise<void>((done, fail) => {
    child.once("message", () => done());
    child.once("exit", (code) => fail(new Error(`${args.at(-1)} ended while starting (${code}), see ${logFile}`)));
  });
  return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => stopChild(child, "SIGTERM", 40_000) };
}
