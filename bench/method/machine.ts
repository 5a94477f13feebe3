import { execFileSync } from "node:child_process";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { cores } from "./pinning";

/** What the ratios were measured on, for whoever reads them elsewhere. */
export function machineShape(versions: { redis: string; postgres: string }): string[] {
  const list = cpus();
  return [
    `${list.length} cores (${list[0]?.model.trim() || arch()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}`,
    `Node ${process.versions.node}, Redis ${versions.redis}, PostgreSQL ${versions.postgres}`,
    cores
      ? `pinned: server on core ${cores.server}; stores, stand-ins and the engine on ${cores.stores}; generator on ${cores.generator}${cores.stores === cores.generator ? ", which it shares with the stores" : ""}`
      : "not pinned (no `taskset`, or one core only): sides disturb each other, so read the spread first",
  ];
}

/** The commit that was measured. */
export function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}
