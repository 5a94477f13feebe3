import type { Generator } from "../generator/generator";
import type { Load } from "../generator/orders";
import { coreTimes, cpuSecondsOf, stolenShare, waitedSecondsOf } from "./process-times";
import type { Sample } from "./sample";

/** Puts load on a server for a while, and reads what its process spent on it. */
export async function takeSample(generator: Generator, pid: number, load: Load, seconds: number): Promise<Sample> {
  const before = { cpu: cpuSecondsOf(pid), waited: waitedSecondsOf(pid), cores: coreTimes() };
  const told = await generator.run(load, seconds);
  return {
    requests: told.requests, failures: told.failures, wallSeconds: told.wallSeconds, p50: told.p50, p99: told.p99,
    serverCpuSeconds: cpuSecondsOf(pid) - before.cpu,
    generatorShare: told.cpuSeconds / told.wallSeconds,
    stolenShare: stolenShare(before.cores, coreTimes()),
    waitingShare: (waitedSecondsOf(pid) - before.waited) / told.wallSeconds,
  };
}
