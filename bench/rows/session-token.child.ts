import { aRealm } from "../../dev/testing/identity";
import { redis } from "../../lib/platform/redis";
import { getSessionToken } from "../../lib/sessions";
import { unknownCaller } from "../../lib/sessions/audit";
import { handleOf } from "../../lib/sessions/cookie";
import { createSession } from "../../lib/sessions/create-session";
import { percentile } from "../method/statistics";
import type { SessionTold } from "./session-token";

// In the product's own words and in one process: what a request of a signed-in person pays before the engine is called.
const { ROUNDS = "4", TIMES = "1000" } = process.env;
const realm = await aRealm();
const handle = handleOf(await createSession(await realm.tokensFor("uma"), unknownCaller()));
const client = redis();
const token = () => getSessionToken(handle, "nflow");
const { accessToken } = await token();

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < Number(TIMES); i++) {
    const startedAt = performance.now();
    await run();
    times.push(performance.now() - startedAt);
  }
  return percentile(times, 0.5);
}

/**
 * Counted where they are sent: Redis itself also counts what a script does inside. What is sent while an answer is still
 * awaited travels along with it, so a trip begins when nothing is under way.
 */
async function sentBy(run: () => Promise<unknown>): Promise<{ commands: number; trips: number }> {
  const [times, send] = [100, client.sendCommand.bind(client)];
  let [commands, trips, underway] = [0, 0, 0];
  client.sendCommand = ((...args: Parameters<typeof send>) => {
    commands++;
    if (underway++ === 0) trips++;
    const answer = send(...args) as Promise<unknown>;
    void answer.finally(() => underway--).catch(() => undefined);
    return answer;
  }) as typeof client.sendCommand;
  try {
    for (let i = 0; i < times; i++) await run();
  } finally {
    client.sendCommand = send;
  }
  return { commands: commands / times, trips: trips / times };
}

await median(token);
await median(() => client.ping());
const told: SessionTold = { ...(await sentBy(token)), same: (await token()).accessToken === accessToken, tokenMs: [], pingMs: [] };
for (let round = 0; round < Number(ROUNDS); round++) {
  told.tokenMs.push(await median(token));
  told.pingMs.push(await median(() => client.ping()));
}
process.send?.(told);
await realm.close();
process.exit(0);
