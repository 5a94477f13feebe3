import type { Load } from "../generator/orders";
import { alternate } from "../method/rounds";
import type { Sample } from "../method/sample";
import { takeSample } from "../method/take-sample";
import { makeKeys } from "../site/keys";
import type { Started } from "../site/start-process";
import { cpuLine, warmUp } from "./compare";
import { keyLoad, requireCorrect } from "./key-check";
import type { Bench, Row } from "./row";

export const twoProcesses: Row = {
  name: "two-processes",
  title: "Two API processes against one",
  async run(bench) {
    const { site } = bench;
    const [one, two] = [await site.startOurs(), await site.startOurs()];
    try {
      const keys = await makeKeys(site.db, site.owner, 100);
      for (const server of [one, two]) await requireCorrect(bench, server, keys[0] ?? "");
      const load = keyLoad(keys);
      await warmUp(bench, { server: one, load: load(one) }, { server: two, load: load(two) });
      const alone = () => takeSample(bench.generator, one.pid, load(one), bench.seconds);
      const together = async () => sumOf(await Promise.all([one, two].map((server) => oneOf(bench, server, load(server)))));
      const rounds = await alternate({ ours: together, other: alone }, { rounds: bench.rounds, kind: "cpu" });
      return [cpuLine(rounds, { what: "two API processes, 32 connections each", denominator: "one process with 32", goal: { atLeast: 0.9 }, notes: ["per CPU second of both together: whether a second process takes anything from the first. Both run on the core under measurement"] })];
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  },
};

const oneOf = (bench: Bench, server: Started, load: Load) => takeSample(bench.generator, server.pid, load, bench.seconds);

/** The generator's share is of its one process, so both tell the same. */
function sumOf([a, b]: Sample[]): Sample {
  if (!a || !b) throw new Error("two samples are needed");
  return { ...a, requests: a.requests + b.requests, failures: a.failures + b.failures, serverCpuSeconds: a.serverCpuSeconds + b.serverCpuSeconds, waitingShare: Math.max(a.waitingShare, b.waitingShare) };
}
