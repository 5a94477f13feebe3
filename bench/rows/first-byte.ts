import { Agent, request } from "node:http";
import { percentile } from "../method/statistics";
import { type BenchFlow } from "../peers/flows";
import { predictionPath } from "./proxy";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Asks for streams one after the other. @returns the median time to the first piece of the body, in ms. */
export async function firstByteMs(url: string, key: string, flow: BenchFlow, times: number): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push(await ask(url, key, flow));
  return percentile(all, 0.5);
}

function ask(url: string, key: string, flow: BenchFlow): Promise<number> {
  return new Promise((done, fail) => {
    const startedAt = performance.now();
    let firstAt: number | undefined;
    const asked = request(url + predictionPath(flow), { method: "POST", agent, headers: { "x-api-key": key, "content-type": "application/json" } }, (response) => {
      if (response.statusCode !== 200) fail(new Error(`a stream was answered ${response.statusCode}`));
      response.on("data", () => { firstAt ??= performance.now() - startedAt; });
      response.on("end", () => (firstAt === undefined ? fail(new Error("a stream ended before it began")) : done(firstAt)));
      response.on("error", fail);
    });
    asked.on("error", fail);
    asked.end(JSON.stringify({ question: "hello", streaming: true }));
  });
}
