import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, callsTo, control, demo, forgetCalls, keyOf, resetParts, revoke, tokenOf } from "../http/client";
import { type Fleet, search, startFleet, store } from "./fleet";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterEach(resetParts);
afterAll(() => fleet?.stop());

/** Nobody is signed in in any browser, as far as the portal knows. */
async function noSessionAnywhere(): Promise<void> {
  const records = await store.keys("sl:s:*");
  if (records.length) await store.del(records);
  expect(await store.keys("sl:s:*")).toEqual([]);
}

describe("a key without a browser session anywhere", () => {
  it("reaches both engines as its owner, made out to each alone, from every process; the log names owner, key and engine", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["write"] });
    const me = (await call(demo.url, "GET", "/api/v1/auth/me", { key })).json.data;
    await noSessionAnywhere();
    for (const { url } of fleet.members) {
      await forgetCalls("nflow");
      await forgetCalls("flowise");
      const requestIds = { nflow: `owner-nflow-${Date.now()}`, flowise: `owner-flowise-${Date.now()}` };
      expect((await call(url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {}, headers: { "x-request-id": requestIds.nflow } })).status).toBe(200);
      expect((await call(url, "POST", "/api/v1/chat/predict", { key, body: { chatflow_id: flowIds.support, question: "hello" }, headers: { "x-request-id": requestIds.flowise } })).status).toBe(200);
      const [toNflow] = await callsTo("nflow");
      const toFlowise = (await callsTo("flowise")).find(({ path }) => path.includes("/prediction/"));
      expect(tokenOf(toNflow!)).toMatchObject({ sub: me.memberId, aud: "nflow" });
      expect(tokenOf(toFlowise!)).toMatchObject({ sub: me.memberId, aud: "flowise" });
      for (const made of [toNflow, toFlowise]) {
        expect(["sluice-machine", "sluice-direct"]).toContain(tokenOf(made!).azp);
        expect(JSON.stringify(made!.headers)).not.toContain(key);
      }
      const logged = async () => (await call(demo.url, "GET", `/api/v1/requests?apiKeyId=${id}`, { key })).json.data as { requestId: string; apiKeyId: string; upstream: string | null }[];
      await expect.poll(async () => (await logged()).filter(({ requestId }) => Object.values(requestIds).includes(requestId)).map(({ apiKeyId, upstream }) => [apiKeyId, upstream]).sort(), { timeout: 20_000 })
        .toEqual([[id, "flowise"], [id, "nflow"]]);
    }
    await revoke("uma", id);
  });

  it("is told at once, and by every process, when its owner's machine access is gone: 403 with the way back, and no engine hears of it", async () => {
    const { key, id } = await keyOf("dis", { permissions: ["nflow:read"] });
    expect((await search(fleet.at(0), { key })).status).toBe(200);
    await control("identity", { revokeGrant: "dis" });
    await control("nflow", { unauthorizedNext: 1 });
    await search(fleet.at(0), { key });
    await forgetCalls("nflow");
    for (const member of fleet.members) {
      const refused = await search(member, { key });
      expect([refused.status, refused.json.code, refused.json.grantUrl]).toEqual([403, "owner_reauth_required", `${demo.url}/machine-access`]);
    }
    expect(await callsTo("nflow")).toEqual([]);
    await revoke("dis", id);
  });
});
