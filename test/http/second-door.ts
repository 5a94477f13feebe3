import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import type { TestProject } from "vitest/node";
import { freePort } from "../../dev/lib/postgres";
import { stopChild } from "../../dev/lib/process";
import type { Demo } from "../../dev/seeded-stack";
import { stackInfo } from "../../e2e/stack";

declare module "vitest" {
  interface ProvidedContext {
    demo: Demo;
    webEnv: Record<string, string>;
    /** Our own door (`server.ts`), and Next.js with its catch-all route. */
    doors: { own: string; next: string };
  }
}

/** Next.js as the server, without the door in front: the API then runs in its catch-all route handler. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { demo, env } = stackInfo();
  if (!env) throw new Error("The HTTP tests need the stack of `npm test http`.");
  const port = await freePort();
  const child = spawn(process.execPath, ["node_modules/next/dist/bin/next", "start", "-p", String(port), "-H", "127.0.0.1"], {
    env: { PATH: process.env.PATH ?? "", ...env, PORT: String(port), NODE_ENV: "production" as const }, stdio: ["ignore", "ignore", "inherit"],
  });
  await untilOpen(port, child);
  project.provide("demo", demo);
  project.provide("webEnv", env);
  project.provide("doors", { own: demo.url, next: `http://localhost:${port}` });
  return () => stopChild(child);
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error("next start ended while starting");
    const open = await new Promise<boolean>((done) => {
      const probe = connect(port, "127.0.0.1", () => { probe.destroy(); done(true); }).once("error", () => done(false));
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("next start did not answer within 30 s");
}
