import { freeFlow } from "../peers/flows";
import { differenceOf, mean } from "../method/statistics";
import { makeKeys } from "../site/keys";
import { compare, judged, warmUp } from "./compare";
import { predictionLoad } from "./proxy";
import { firstByteMs } from "./first-byte";
import { type Bench, figure, type Line, type Row } from "./row";

export const addedTime: Row = {
  name: "added-time",
  title: "What we add to a call of the engine, one connection",
  async run(bench) {
    const { site } = bench;
    const ours = await site.startOurs();
    try {
      const keys = await makeKeys(site.db, site.owner, 100);
      const load = predictionLoad(keys, freeFlow);
      const us = { server: ours, load: load(ours, 1) };
      // The stub's process is not under measurement: of it only the time counts.
      const engine = { server: ours, load: load({ url: site.engineUrl }, 1) };
      await warmUp(bench, us, engine);
      const rounds = await compare(bench, us, engine, "latency");
      const [through, direct] = [rounds.kept.map((round) => round.ours.p50), rounds.kept.map((round) => round.other.p50)];
      const streamed = await addedToFirstByte(bench, ours.url, keys[0] ?? "");
      return [{
        what: "p50 added to a plain prediction", ours: `${figure(mean(through), 2)} ms`, denominator: `engine alone: ${figure(mean(direct), 2)} ms`, ratio: differenceOf(through, direct), unit: "ms", goal: { atMost: 0.6 },
        ...judged(rounds), profile: { env: {}, load: (server) => load(server, 1) },
      }, streamed];
    } finally {
      await ours.stop();
    }
  },
};

async function addedToFirstByte({ site, rounds, quick }: Bench, url: string, key: string): Promise<Line> {
  const times = quick ? 50 : 200;
  await firstByteMs(url, key, freeFlow, times);
  const through: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < rounds; round++) {
    through.push(await firstByteMs(url, key, freeFlow, times));
    direct.push(await firstByteMs(site.engineUrl, key, freeFlow, times));
  }
  return {
    what: "p50 added to the first byte of a stream", ours: `${figure(mean(through), 2)} ms`, denominator: `engine alone: ${figure(mean(direct), 2)} ms`,
    ratio: differenceOf(through, direct), unit: "ms", goal: { atMost: 2 }, notes: [],
  };
}
