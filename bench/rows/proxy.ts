import { freeFlow, type BenchFlow, paidFlow } from "../peers/flows";
import type { Load } from "../generator/orders";
import { makeKeys } from "../site/keys";
import type { Started } from "../site/start-process";
import { compare, cpuLine, type Side, warmUp } from "./compare";
import type { Bench, Line, Row } from "./row";

const body = JSON.stringify({ question: "hello" });
export const predictionPath = (flow: BenchFlow) => `/api/v1/prediction/${flow.id}`;

export const predictionLoad = (keys: string[], flow: BenchFlow) => (server: Pick<Started, "url">, connections = 32): Load => ({
  url: server.url, connections, requests: keys.map((key) => ({ method: "POST", path: predictionPath(flow), headers: { "x-api-key": key, "content-type": "application/json" }, body })),
});

/** The engine's answer arrives with the caller's own ids, and credits move only where the flow has a price. */
async function requireCorrect({ site }: Bench, server: Started, key: string, flow: BenchFlow): Promise<void> {
  const answer = await fetch(server.url + predictionPath(flow), { method: "POST", headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify({ question: "hello", chatId: "mine" }) });
  const text = await answer.text();
  if (answer.status !== 200 || !text.includes('"chatId":"mine"') || !text.includes("An answer of an ordinary length")) throw new Error(`a prediction was answered ${answer.status}: ${text.slice(0, 300)}`);
  const { rows: [account] } = await site.db.query<{ held: number }>('SELECT held FROM "CreditAccount" WHERE "ownerId" = $1', [site.owner.userId]);
  if (account && account.held !== 0) throw new Error(`${account.held} credits stayed held`);
  if (answer.headers.get("x-credits-held") !== String(flow.costCredits)) throw new Error(`held ${answer.headers.get("x-credits-held")} credits for a flow that costs ${flow.costCredits}`);
}

export const proxy: Row = {
  name: "proxy",
  title: "The whole path with proxying, against a bare undici proxy in Hono",
  async run(bench) {
    const { site } = bench;
    const ours = await site.startOurs();
    const bare = await site.startPeer("bare-proxy", { PEER_ENGINE: site.engineUrl });
    const keys = await makeKeys(site.db, site.owner, 100);
    const lines: Line[] = [];
    try {
      for (const [flow, name] of [[freeFlow, "a free flow"], [paidFlow, "a flow that costs a credit"]] as const) {
        await requireCorrect(bench, ours, keys[0] ?? "", flow);
        const load = predictionLoad(keys, flow);
        const sides: [Side, Side] = [{ server: ours, load: load(ours) }, { server: bare, load: load(bare) }];
        await warmUp(bench, ...sides);
        lines.push(cpuLine(await compare(bench, ...sides), { what: `prediction of ${name}, 32 connections`, denominator: "bare proxy", goal: { atLeast: 0.9 }, profile: { env: {}, load } }));
      }
    } finally {
      await ours.stop();
      await bare.stop();
    }
    return lines;
  },
};
