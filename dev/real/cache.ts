import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** Where real parts are kept between runs: outside the checkout, since they are big and the same for every one. */
export function cacheDir(): string {
  const dir = process.env.SLUICE_CACHE ?? join(homedir(), ".cache", "sluice");
  mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * Makes a folder of the cache once. It appears under its name only when it is complete, so neither a broken attempt nor
 * another run at the same time leaves half of it.
 *
 * @param make fills the folder that it is given.
 */
export async function cached(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const dir = join(cacheDir(), name);
  if (existsSync(dir)) return dir;
  const draft = `${dir}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    await make(draft);
    if (!existsSync(dir)) renameSync(draft, dir);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return dir;
}

/** A program on the PATH; on Debian as root it is installed when it is missing. @throws Error with the line that says how. */
export function program(name: string, debianPackage: string, say: (line: string) => void): string {
  const found = onPath(name);
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    say(`installing ${debianPackage} (apt-get)`);
    const quiet = { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
    execFileSync("apt-get", ["update", "-q"], quiet);
    execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", debianPackage], quiet);
  }
  const installed = onPath(name);
  if (!installed) throw new Error(`${name} is needed; on Debian: apt-get install ${debianPackage}`);
  return installed;
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? "").split(":").map((dir) => join(dir, name)).find((file) => existsSync(file));
}
