import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "../../dev/lib/postgres";
import { stopChild } from "../../dev/lib/process";

export type NakedPages = { url: string; stop(): Promise<void> };

/**
 * Next.js on the same build with its middleware taken out, as a bypass would have it: the build's folder by links, but for
 * the two files that tell of the middleware.
 */
export async function startWithoutMiddleware(): Promise<NakedPages> {
  const folder = mkdtempSync("/var/tmp/sluice-naked-");
  const root = process.cwd();
  const linkAll = (from: string, to: string, but: string[]) => {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) if (!but.includes(name)) symlinkSync(join(from, name), join(to, name));
  };
  linkAll(root, folder, [".next", ".git", ".data"]);
  linkAll(join(root, ".next"), join(folder, ".next"), ["server", "cache"]);
  const [manifest, functions] = ["middleware-manifest.json", "functions-config-manifest.json"] as const;
  linkAll(join(root, ".next/server"), join(folder, ".next/server"), [manifest, functions]);
  const read = (name: string) => JSON.parse(readFileSync(join(root, ".next/server", name), "utf8")) as { functions: Record<string, unknown> };
  const { "/_middleware": removed, ...others } = read(functions).functions;
  if (!removed) throw new Error("the build has no middleware where it is looked for");
  writeFileSync(join(folder, ".next/server", functions), JSON.stringify({ ...read(functions), functions: others }));
  writeFileSync(join(folder, ".next/server", manifest), JSON.stringify({ ...read(manifest), middleware: {}, sortedMiddleware: [] }));

  const port = await freePort();
  const child = spawn(process.execPath, [join(root, "node_modules/next/dist/bin/next"), "start", folder, "-p", String(port), "-H", "127.0.0.1"], {
    cwd: folder, env: { PATH: process.env.PATH ?? "", ...inject("webEnv"), PORT: String(port), NODE_ENV: "production" as const }, stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://localhost:${port}`;
  const stop = async () => {
    await stopChild(child);
    rmSync(folder, { recursive: true, force: true });
  };
  await untilItAnswers(url, child).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, stop };
}

async function untilItAnswers(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt++) {
    const answer = await fetch(`${url}/signed-out`).catch(() => null);
    if (answer) {
      // What the middleware adds to every page.
      if (answer.headers.has("content-security-policy")) throw new Error("the middleware is still there");
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("next start ended, or does not answer");
}
