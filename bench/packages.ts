import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** Installs what only measurements need, once per lock file. */
export function installPackages(say: (line: string) => void): void {
  const stamp = "bench/node_modules/.installed";
  const lock = createHash("sha256").update(readFileSync("bench/package-lock.json")).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing the load generator and the peers (npm ci in bench/)");
  const npm = spawnSync(process.platform === "win32" ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund"], { cwd: "bench", stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  if (npm.status !== 0) throw new Error(`the load generator and the peers could not be installed:\n${npm.stderr ?? npm.error?.message}`);
  writeFileSync(stamp, lock);
}
