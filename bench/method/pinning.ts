import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Which core runs what. The server under measurement has the first for itself as far as the machine allows. */
export type Cores = { server: string; stores: string; generator: string };

/** Null where there is nothing to divide. */
export function coresFor(count: number): Cores | null {
  if (count < 2) return null;
  return { server: "0", stores: count > 2 ? `1,${count > 3 ? "3" : "2"}` : "1", generator: count > 2 ? "2" : "1" };
}

function canPin(): boolean {
  try {
    execFileSync("taskset", ["-cp", String(process.pid)], { stdio: "ignore" });
    return process.platform === "linux";
  } catch {
    return false;
  }
}

export const cores = canPin() ? coresFor(cpus().length) : null;

/** A command that runs on these cores, from its first instruction on. */
export function pinned(part: keyof Cores, command: string[]): string[] {
  return cores ? ["taskset", "-c", cores[part], ...command] : command;
}

/** Moves a process that runs already, with all its threads; what it starts from then on follows. */
export function pin(pid: number, part: keyof Cores): void {
  if (cores) execFileSync("taskset", ["-acp", cores[part], String(pid)], { stdio: "ignore" });
}

/** The processes that this one has started by now. */
export function pinChildren(pid: number, part: keyof Cores): void {
  if (!cores) return;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  for (const child of children) pin(Number(child), part);
}
