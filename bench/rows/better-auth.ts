import { randomUUID } from "node:crypto";
import { makeKeys } from "../site/keys";
import { compare, cpuLine, type Side, warmUp } from "./compare";
import { keyLoad, requireCorrect } from "./key-check";
import type { Bench, Line, Row } from "./row";

const connections = 32;
const goals = { redis: 20, postgres: 40 };

export const betterAuth: Row = {
  name: "better-auth",
  title: "A verified call against better-auth's API-key plugin",
  async run(bench) {
    return [await against(bench, "redis"), await against(bench, "postgres")];
  },
};

async function against(bench: Bench, store: "redis" | "postgres"): Promise<Line> {
  const { site } = bench;
  const ours = await site.startOurs();
  try {
    const keys = await makeKeys(site.db, site.owner, 100);
    const answer = await requireCorrect(bench, ours, keys[0] ?? "");
    const name = `better_auth_${randomUUID().slice(0, 8)}`;
    await site.db.query(`CREATE DATABASE ${name}`);
    const database = Object.assign(new URL(site.env.DATABASE_URL ?? ""), { pathname: `/${name}` }).toString();
    const peer = await site.startPeer("better-auth", { PEER_STORE: store, PEER_REDIS: site.redisUrl, PEER_DATABASE: database, PEER_KEYS: "100", PEER_ANSWER: answer });
    try {
      const theirs = await (await fetch(`${peer.url}/keys`)).json() as string[];
      const stranger = await fetch(peer.url, { headers: { "x-api-key": "a".repeat(64) } });
      const known = await fetch(peer.url, { headers: { "x-api-key": theirs[0] ?? "" } });
      if (theirs.length !== 100 || known.status !== 200 || stranger.status !== 401) throw new Error(`better-auth answered ${known.status} to its own key and ${stranger.status} to a stranger`);
      const sides: [Side, Side] = [
        { server: ours, load: keyLoad(keys)(ours, connections) },
        { server: peer, load: { url: peer.url, connections, requests: theirs.map((key) => ({ method: "GET", path: "/", headers: { "x-api-key": key } })) } },
      ];
      await warmUp(bench, ...sides);
      return cpuLine(await compare(bench, ...sides), {
        what: `verified call, ${connections} connections`, denominator: `better-auth 1.7.5 on ${store === "redis" ? "Redis (secondary storage)" : "PostgreSQL"}`, goal: { atLeast: goals[store] },
        profile: { env: {}, load: (server) => keyLoad(keys)(server, connections) }, notes: ["better-auth's side has one limit and no log of calls; ours has three, and writes each down"],
      });
    } finally {
      await peer.stop();
      await site.db.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  } finally {
    await ours.stop();
  }
}
