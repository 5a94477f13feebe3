import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { call, doors, keyOf, revoke, tokensOf } from "./client";
import { startReplica } from "./replica";

/** Within this the last answers of a killed process may be missing: 50 ms are promised, and a busy machine's timers are late. Before, it was 250 ms. */
const lostMsMax = 150;
/** Enough to be written down several times. */
const answersMin = 300;
const loadMsMin = 600;

it("a process that is killed under load leaves every call in the request log that it answered a moment before", async () => {
  const replica = await startReplica();
  const { access_token: bearer } = await tokensOf("gus");
  const { key, id } = await keyOf("gus", { rateLimit: { requests: 5000, window: 3600 } });
  const answeredAt = new Map<string, number>();
  let firstAt: number | undefined;
  let killedAt: number | undefined;
  const asking = Array.from({ length: 8 }, async () => {
    while (killedAt === undefined) {
      const requestId = randomUUID();
      const answer = await call(replica.url, "GET", "/api/v1/auth/me", { key, headers: { "x-request-id": requestId } }).catch(() => null);
      if (answer?.status === 200) answeredAt.set(requestId, performance.now());
      firstAt ??= performance.now();
      if (performance.now() - firstAt > loadMsMin && answeredAt.size >= answersMin) {
        killedAt ??= performance.now();
        replica.signal("SIGKILL");
      }
    }
  });
  await Promise.all(asking);
  const due = [...answeredAt].filter(([, at]) => at < (killedAt ?? 0) - lostMsMax).map(([requestId]) => requestId);
  expect(due.length).toBeGreaterThan(50);

  const missing = async () => {
    const logged = new Set<string>();
    for (let cursor = ""; ;) {
      const { data, page } = (await call(doors.own, "GET", `/api/v1/requests?apiKeyId=${id}&limit=100${cursor && `&cursor=${cursor}`}`, { bearer })).json;
      for (const row of data) logged.add(row.requestId);
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    return due.filter((requestId) => !logged.has(requestId)).length;
  };
  await expect.poll(missing, { timeout: 15_000, interval: 500 }).toBe(0);
  await revoke("gus", id);
});
