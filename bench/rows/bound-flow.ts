import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { startRealFlowise as start } from "../../dev/real/flowise/flowise";
import type { Load } from "../generator/orders";
import { mean, ratioOf } from "../method/statistics";
import { makeKeys } from "../site/keys";
import type { Site } from "../site/site";
import { compare, judged, warmUp } from "./compare";
import { type Bench, figure, notRun, type Row } from "./row";

/** A Flowise with two flows that reply at once, without a model: one that anybody may call, one bound to `boundKey`. */
type RealFlowise = { url: string; version: string; serviceKey: string; boundKey: string; unboundFlow: string; boundFlow: string; stop(): Promise<void> };

const what = "keyed prediction through us (unbound flow) against Flowise's own bound key: how many times faster, p50, one connection";

export const boundFlow: Row = {
  name: "bound-flow",
  title: "Flowise behind us against Flowise with its own key",
  async run(bench) {
    const { site } = bench;
    const flowise = await startRealFlowise(bench);
    if (!flowise) return [notRun(what, "a real Flowise is some hundred megabytes; BENCH_FLOWISE=real installs and starts one")];
    try {
      await assign(site, flowise.unboundFlow);
      // Without the worker: its sync would take the stub engine's flows for deleted.
      const ours = await site.startOurs({ env: { WORKER: "off", FLOWISE_URL: flowise.url, FLOWISE_AUTH: "service-key", FLOWISE_API_KEY: flowise.serviceKey } });
      const keys = await makeKeys(site.db, site.owner, 100);
      const ask = (url: string, flow: string, headers: Record<string, string>[]): Load => ({
        url, connections: 1, requests: headers.map((own) => ({ method: "POST", path: `/api/v1/prediction/${flow}`, headers: { ...own, "content-type": "application/json" }, body: JSON.stringify({ question: "hello" }) })),
      });
      const through = { server: ours, load: ask(ours.url, flowise.unboundFlow, keys.map((key) => ({ "x-api-key": key }))) };
      const direct = { server: ours, load: ask(flowise.url, flowise.boundFlow, [{ authorization: `Bearer ${flowise.boundKey}` }]) };
      await warmUp(bench, through, direct);
      const rounds = await compare(bench, through, direct, "latency");
      await ours.stop();
      const [us, them] = [rounds.kept.map((round) => round.ours.p50), rounds.kept.map((round) => round.other.p50)];
      return [{ what, ours: `${figure(mean(us), 1)} ms`, denominator: `Flowise ${flowise.version}, bound: ${figure(mean(them), 1)} ms`, ratio: ratioOf(them, us), unit: "×", goal: { atLeast: 2 }, ...judged(rounds) }];
    } finally {
      await flowise.stop();
    }
  },
};

/** @returns null unless `BENCH_FLOWISE=real`. */
async function startRealFlowise({ site, say }: Bench): Promise<RealFlowise | null> {
  if (process.env.BENCH_FLOWISE !== "real") return null;
  const url = new URL(site.env.DATABASE_URL ?? "");
  url.pathname = "/postgres";
  const flowise = await start({ dataDir: join(site.folder, "flowise"), database: { adminUrl: url.href, name: "flowise" }, say });
  url.pathname = "/flowise";
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const { rows: [key] } = await client.query<{ id: string }>(`SELECT id FROM apikey WHERE "apiKey" = $1`, [flowise.boundKey]);
    return { ...flowise, unboundFlow: await directReply(client, null), boundFlow: await directReply(client, key?.id ?? "") };
  } finally {
    await client.end();
  }
}

/** Written beside the flows that are there: what Flowise's API asks for more than a row is about people, not about speed. */
async function directReply(client: pg.Client, boundTo: string | null): Promise<string> {
  const id = randomUUID();
  const flowData = readFileSync("dev/real/flowise/flows/agentflow-direct-reply.flowData.json", "utf8");
  await client.query(`INSERT INTO chat_flow (id, name, "flowData", type, deployed, apikeyid, "workspaceId") SELECT $1, 'Bench: direct reply', $2, 'AGENTFLOW', true, $3, "workspaceId" FROM chat_flow LIMIT 1`, [id, flowData, boundTo]);
  return id;
}

async function assign({ db, owner }: Site, flowiseId: string): Promise<void> {
  await db.query(`INSERT INTO "Chatflow" (id, "flowiseId", name, deployed, "costCredits", "updatedAt") VALUES (gen_random_uuid(), $1, 'Bench: direct reply', true, 0, now())`, [flowiseId]);
  await db.query(`INSERT INTO "ChatflowAssignment" (id, "tenantId", "userId", "chatflowId", "assignedBy") SELECT gen_random_uuid(), $1, $2, id, 'bench' FROM "Chatflow" WHERE "flowiseId" = $3`, [owner.tenantId, owner.userId, flowiseId]);
}
