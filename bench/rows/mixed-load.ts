import type { Load } from "../generator/orders";
import { cores, pinChildren } from "../method/pinning";
import { alternate } from "../method/rounds";
import { mean, ratioOf } from "../method/statistics";
import { takeSample } from "../method/take-sample";
import { makeKeys } from "../site/keys";
import { judged } from "./compare";
import { keyLoad, requireCorrect } from "./key-check";
import { figure, type Row } from "./row";

const apiPerSecond = 400;
const pagesPerSecond = 20;
/** Public, rendered anew for every request, and piped through the door like any page. */
const pagePath = "/sign-in";

export const mixedLoad: Row = {
  name: "mixed-load",
  title: "The API while pages render",
  async run(bench) {
    const { site, generator, seconds } = bench;
    const ours = await site.startOurs({ env: { SERVER_MODE: "split" } });
    try {
      // The door keeps its core; with two cores in all, pages share the other with the generator and the stores.
      pinChildren(ours.pid, "stores");
      const keys = await makeKeys(site.db, site.owner, 100);
      await requireCorrect(bench, ours, keys[0] ?? "");
      const page = await fetch(ours.url + pagePath);
      if (page.status !== 200 || !(await page.text()).includes("<html")) throw new Error(`the page was answered ${page.status}`);
      const api: Load = { ...keyLoad(keys)(ours, 16), rate: apiPerSecond };
      const pages: Load = { url: ours.url, connections: 4, rate: pagesPerSecond, requests: [{ method: "GET", path: pagePath }] };
      await Promise.all([generator.run({ ...api, rate: undefined }, seconds), generator.run(pages, seconds)]);
      const alone = () => takeSample(generator, ours.pid, api, seconds * 2);
      const mixed = async () => {
        const [sample, rendered] = await Promise.all([alone(), generator.run(pages, seconds * 2)]);
        return { ...sample, failures: sample.failures + rendered.failures };
      };
      const rounds = await alternate({ ours: mixed, other: alone }, { rounds: bench.rounds, kind: "latency" });
      const [with_, without] = [rounds.kept.map((round) => round.ours.p99), rounds.kept.map((round) => round.other.p99)];
      const enough = cores !== null && cores.stores !== cores.generator;
      return [{
        what: `API p99 at ${apiPerSecond}/s while pages render at ${pagesPerSecond}/s`, ours: `${figure(mean(with_), 2)} ms`, denominator: `API alone: ${figure(mean(without), 2)} ms`,
        ratio: ratioOf(with_, without), goal: enough ? { atMost: 1.2 } : null, profile: { env: {}, load: (server) => ({ ...api, url: server.url }) },
        ...judged(rounds, enough ? [] : ["only reported: pages, stores and the generator share one core here, so the generator itself waits for pages"]),
      }];
    } finally {
      await ours.stop();
    }
  },
};
