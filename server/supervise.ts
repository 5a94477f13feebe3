import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import type { Env } from "@/lib/platform/env";
import { logger } from "@/lib/platform/logger";
import { ChildEnded, keepRunning } from "./keep-running";

/** Preloaded into a child: when the channel to us breaks, because we were killed, it ends itself. */
const leash = `data:text/javascript,${encodeURIComponent('process.on("disconnect", () => process.exit(0))')}`;

/**
 * `SERVER_MODE=split` (and `pages`): the door with the API and Next.js as two child processes, each of which outlives the
 * other's crash. This process does nothing else, so that nothing ends it.
 */
export async function supervise(settings: Env): Promise<void> {
  const development = settings.NODE_ENV === "development";
  const pagesPort = await freeLoopbackPort();
  const shared = { ...process.env, NODE_OPTIONS: "", SLUICE_PAGES_PORT: String(pagesPort), SLUICE_INNER_SECRET: randomBytes(32).toString("base64url") };
  const children: ChildProcess[] = [];
  // However this process ends, its children must not outlive it and keep their memory and ports.
  process.on("exit", () => { for (const child of children) child.kill("SIGKILL"); });
  const run = (args: string[], env: Record<string, string | undefined>) => {
    const child = spawn(process.execPath, args, { env: { ...shared, ...env } as NodeJS.ProcessEnv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    children.splice(0, children.length, ...children.filter((one) => one.exitCode === null), child);
    return child;
  };

  const next = createRequire(import.meta.url).resolve("next/dist/bin/next");
  const pages = keepRunning("pages", {
    start: () => run(["--import", leash, next, development ? "dev" : "start", "-p", String(pagesPort), "-H", "127.0.0.1"], { NODE_ENV: development ? "development" : "production", NEXT_TELEMETRY_DISABLED: "1" }),
    untilReady: (child) => untilOpen(pagesPort, () => child.exitCode !== null),
  });
  // In development a change of the API's code starts the door again, and Next.js keeps what it has compiled.
  const watching = development ? ["--watch-path=lib", "--watch-preserve-output"] : [];
  const door = keepRunning("door", {
    start: () => run([...process.execArgv, ...watching, process.argv[1] ?? ""], { SLUICE_ROLE: "door" }),
    untilReady: (child) => (development ? untilOpen(settings.PORT, () => child.exitCode !== null) : new Promise((ready) => child.once("message", () => ready()))),
  });

  let stopping = false;
  const stop = async (reason: string, code: number) => {
    if (stopping) return;
    stopping = true;
    logger.info({ reason }, "stopping");
    door.letEnd();
    pages.letEnd();
    // The door first: requests for pages that are under way still need Next.js.
    await door.stop("SIGTERM", settings.SHUTDOWN_GRACE_SECONDS * 1000 + 10_000);
    await pages.stop("SIGTERM", 3000);
    process.exit(code);
  };
  process.on("SIGTERM", () => void stop("SIGTERM", 0));
  process.on("SIGINT", () => void stop("SIGINT", 0));
  // A launcher that dies takes its channel with it; a server nobody owns must not keep the port.
  process.on("disconnect", () => void stop("the launcher is gone", 0));

  try {
    await Promise.all([door.ready, pages.ready]);
    logger.info({ port: settings.PORT, mode: settings.SERVER_MODE }, "ready");
    process.send?.("ready");
  } catch (error) {
    if (stopping) return;
    // The door says itself why it could not start.
    if (!(error instanceof ChildEnded)) logger.fatal({ err: error }, "could not start");
    await stop(error instanceof Error ? error.message : "could not start", 1);
  }
}

function freeLoopbackPort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer().once("error", fail).listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

async function untilOpen(port: number, ended: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (ended()) return new Promise(() => undefined);
    const open = await new Promise<boolean>((done) => {
      const probe = connect(port, "127.0.0.1", () => { probe.destroy(); done(true); }).once("error", () => done(false));
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`nothing answered on port ${port} within 60 s`);
}
