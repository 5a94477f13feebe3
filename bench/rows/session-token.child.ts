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

/** Commands that Redis was sent, by name; what a script does inside is no round trip, so scripts' inner commands are left out by who sent them. */
async function sentBy(run: () => Promise<unknown>): Promise<number> {
  let sent = 0;
  const send = client.sendCommand.bind(client);
  client.sendCommand = ((...args: Parameters<typeof send>) => {
    sent++;
    return send(...args);
  }) as typeof client.sendCommand;
  try {
    for (let i = 0; i < 100; i++) await run();
  } finally {
    client.sendCommand = send;
  }
  return sent / 100;
}

await median(token);
await median(() => client.ping());
const told: SessionTold = { commands: await sentBy(token), same: (await token()).accessToken === accessToken, tokenMs: [], pingMs: [] };
for (let round = 0; round < Number(ROUNDS); round++) {
  told.tokenMs.push(await median(token));
  told.pingMs.push(await median(() => client.ping()));
}
process.send?.(told);
await realm.close();
process.exit(0);
