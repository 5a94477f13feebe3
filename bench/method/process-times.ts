import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const linux = process.platform === "linux";
let ticksPerSecond: number | undefined;

/** User and system time of a process so far, all its threads together. */
export function cpuSecondsOf(pid: number): number {
  if (!linux) return seconds(execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" }));
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  // Behind the name, which may contain anything: state is field 3, utime 14, stime 15.
  const fields = afterName(readFileSync(`/proc/${pid}/stat`, "utf8"));
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const afterName = (stat: string) => stat.slice(stat.lastIndexOf(")") + 2).split(" ");

/** `[[days-]hours:]minutes:seconds[.hundredths]`, as `ps` prints it. */
export function seconds(time: string): number {
  const [clock = "0", days = "0"] = time.trim().split("-").reverse();
  return Number(days) * 86_400 + clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** How long the main thread was ready to run but had no core, so far. Zero where the kernel does not tell. */
export function waitedSecondsOf(pid: number): number {
  if (!linux) return 0;
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e9;
  } catch {
    return 0;
  }
}

/** Bytes in memory now. */
export function residentBytesOf(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

export type CoreTimes = { stolen: number; all: number };

/** Ticks of all cores together since boot; a virtual machine is told what its host took. */
export function coreTimes(): CoreTimes {
  return linux ? parseCoreTimes(readFileSync("/proc/stat", "utf8")) : { stolen: 0, all: 0 };
}

export function parseCoreTimes(stat: string): CoreTimes {
  const [, ...fields] = (stat.split("\n").find((line) => line.startsWith("cpu ")) ?? "").trim().split(/\s+/);
  // user nice system idle iowait irq softirq steal; guest times after that are part of user.
  const ticks = fields.slice(0, 8).map(Number);
  return { stolen: ticks[7] ?? 0, all: ticks.reduce((sum, value) => sum + value, 0) };
}

export function stolenShare(from: CoreTimes, to: CoreTimes): number {
  return to.all > from.all ? (to.stolen - from.stolen) / (to.all - from.all) : 0;
}
