import { residentBytesOf } from "../method/process-times";
import { slowFlow } from "../peers/flows";
import { streamFrames } from "../peers/frames";
import { makeKeys } from "../site/keys";
import { Audience } from "./audience";
import { predictionPath } from "./proxy";
import { figure, type Row } from "./row";

const wanted = 1000;
const mebi = 2 ** 20;

export const openStreams: Row = {
  name: "open-streams",
  title: "A thousand open streams on one process",
  async run({ site }) {
    const ours = await site.startOurs();
    try {
      const [key = ""] = await makeKeys(site.db, site.owner, 1);
      const expected = streamFrames(slowFlow);
      const ask = (audience: Audience) => audience.join(ours.url + predictionPath(slowFlow), { "x-api-key": key, "content-type": "application/json" }, JSON.stringify({ question: "hello", streaming: true }));
      // One alone first: right before many, and the code is warm.
      const alone = new Audience();
      await ask(alone);
      if (alone.complete(expected) !== 1) throw new Error(`a single stream did not arrive byte for byte: ${alone.sample()}`);
      const before = residentBytesOf(ours.pid);
      const crowd = new Audience();
      let at = before;
      const watching = setInterval(() => { at = Math.max(at, residentBytesOf(ours.pid)); }, 500);
      const all: Promise<void>[] = [];
      for (let i = 0; i < wanted; i++) {
        all.push(ask(crowd));
        // A thousand at one instant would measure the listen queue.
        if (i % 20 === 19) await new Promise((done) => setTimeout(done, 20));
      }
      await Promise.all(all);
      clearInterval(watching);
      const arrived = crowd.complete(expected);
      const lost = wanted - arrived;
      const one = (value: number) => ({ mean: value, min: value, max: value });
      return [
        { what: "streams lost or not byte for byte", ours: `${figure(arrived)} complete`, denominator: `${figure(wanted)} asked for`, ratio: one(lost), unit: "streams", goal: { atMost: 0 }, notes: [`${figure(crowd.mostAtOnce)} were open at once`, ...crowd.troubles()] },
        { what: "streams open at once", ours: figure(crowd.mostAtOnce), denominator: `${figure(wanted)} asked for`, ratio: one(crowd.mostAtOnce / wanted), goal: { atLeast: 1 }, notes: [] },
        { what: "memory with them", ours: `${figure(at / mebi)} MiB`, denominator: `${figure(before / mebi)} MiB before`, ratio: one(at / 1e6), unit: "MB", goal: { atMost: 400 }, notes: [`${figure((at - before) / wanted / 1024)} KiB for each stream`] },
      ];
    } finally {
      await ours.stop();
    }
  },
};
