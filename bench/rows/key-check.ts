import type { Load } from "../generator/orders";
import { makeKeys, unknownKeys } from "../site/keys";
import type { Started } from "../site/start-process";
import { compare, cpuLine, type Side, warmUp } from "./compare";
import { type Bench, type Line, type Row } from "./row";

/**
 * The cheapest route that makes the whole check: key, expiry, owner, tenant, three limits, usage, and then answers from what
 * the check brought along. It needs no permission, which in the script is one more comparison of two numbers.
 */
export const checkedPath = "/api/v1/auth/me";

export const keyLoad = (keys: string[]) => (server: Started, connections = 32): Load => ({
  url: server.url, connections, requests: keys.map((key) => ({ method: "GET", path: checkedPath, headers: { "x-api-key": key } })),
});

/** What is fast must first be right: limits hold to the call, strangers are refused. @returns the answer's text. */
export async function requireCorrect({ site }: Bench, server: Started, key: string): Promise<string> {
  const ask = (secret: string) => fetch(server.url + checkedPath, { headers: { "x-api-key": secret } });
  await requireExactLimit(site, ask);
  const stranger = await ask(unknownKeys(1)[0] ?? "");
  if (stranger.status !== 401) throw new Error(`an unknown key was answered ${stranger.status}`);
  const good = await ask(key);
  const limits = good.headers.get("x-ratelimit-limit") ?? good.headers.get("ratelimit-limit") ?? good.headers.get("ratelimit");
  if (good.status !== 200 || !limits) throw new Error(`a good key was answered ${good.status}, limits ${limits}`);
  return good.text();
}

/**
 * Exact while Redis answers in time. On a starved machine it may not (half a second), and then a call is judged without it,
 * by this process's share, and its answer says so: such a round proves nothing either way and is asked again.
 */
async function requireExactLimit({ db, owner }: Bench["site"], ask: (secret: string) => Promise<Response>): Promise<void> {
  for (let round = 1; round <= 5; round++) {
    const [limited = ""] = await makeKeys(db, owner, 1, { requests: 10 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(limited)));
    const admitted = answers.filter(({ status }) => status === 200).length;
    if (admitted === 10 && answers.filter(({ status }) => status === 429).length === 30) return;
    if (!answers.some(({ headers }) => headers.get("x-sluice-degraded"))) throw new Error(`of 40 calls with a limit of 10, ${admitted} were admitted`);
  }
  throw new Error("Redis never answered 40 calls in time: this machine is too busy to be measured");
}

export const keyCheck: Row = {
  name: "key-check",
  title: "A verified call against bare Hono",
  async run(bench) {
    const lines: Line[] = [];
    for (const mode of ["batched", "single"]) lines.push(...await inMode(bench, mode));
    return lines;
  },
};

/** One of our servers at a time: a second one would do part of the first one's background work. */
async function inMode(bench: Bench, mode: string): Promise<Line[]> {
  const { site } = bench;
  const env = { KEY_CHECKS: mode };
  const ours = await site.startOurs({ env });
  const keys = await makeKeys(site.db, site.owner, 100);
  const answer = await requireCorrect(bench, ours, keys[0] ?? "");
  const bare = await site.startPeer("bare-hono", { PEER_ANSWER: answer });
  const lines: Line[] = [];
  try {
    for (const connections of [32, 128]) {
      const sides: [Side, Side] = [{ server: ours, load: keyLoad(keys)(ours, connections) }, { server: bare, load: { url: bare.url, connections, requests: [{ method: "GET", path: "/" }] } }];
      await warmUp(bench, ...sides);
      lines.push(cpuLine(await compare(bench, ...sides), {
        what: `verified call, ${connections} connections, KEY_CHECKS=${mode}`, denominator: "bare Hono", goal: mode === "batched" ? { atLeast: 0.85 } : null,
        profile: { env, load: (server) => keyLoad(keys)(server, connections) },
        ...(mode === "single" && { notes: ["for comparison: one script call per check"] }),
      }));
    }
  } finally {
    await ours.stop();
    await bare.stop();
  }
  return lines;
}
