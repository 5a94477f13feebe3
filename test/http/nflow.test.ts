import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { call, callsTo, control, eachDoor, forgetCalls, keyOf, resetParts, revoke, tokensOf } from "./client";

let uma: { id: string; key: string };

beforeAll(async () => {
  await resetParts();
  uma = await keyOf("uma", { permissions: ["write"] });
});
afterEach(resetParts);
afterAll(async () => {
  await revoke("uma", uma.id);
});

describe.each(eachDoor)("NFlow at the $name door", ({ url }) => {
  const apps = "/api/v1/nflow/builder/apps";

  it("an application is created, found, read, refused twice and removed", async () => {
    const name = `http_${Date.now()}`;
    const made = await call(url, "POST", apps, { key: uma.key, body: { name, displayName: "Over HTTP", description: "x" } });
    expect([made.status, made.json.name]).toEqual([201, name]);
    const again = await call(url, "POST", apps, { key: uma.key, body: { name, displayName: "Again" } });
    expect([again.status, again.json.code]).toEqual([409, "conflict"]);
    expect(again.json.refId).toMatch(/^ref-/);
    expect(again.json.upstreamErrors).toEqual(["NAME_TAKEN"]);
    const found = await call(url, "POST", `${apps}/search`, { key: uma.key, body: { searchText: name } });
    expect(found.json).toMatchObject({ data: [{ name }], pageInfo: { total: 1 } });
    expect((await call(url, "GET", `${apps}/${name}`, { key: uma.key })).json.displayName).toBe("Over HTTP");
    const removed = await call(url, "POST", `${apps}/remove`, { key: uma.key, body: { names: [name] } });
    expect(removed.status).toBe(200);
    expect((await call(url, "GET", `${apps}/${name}`, { key: uma.key })).status).toBe(404);
  });

  it("NFlow's failures are told in our words, and what creates is not sent twice", async () => {
    await forgetCalls("nflow");
    await control("nflow", { failNext: { status: 503, times: 1, retryAfter: 7 } });
    const failed = await call(url, "POST", apps, { key: uma.key, body: { name: `no_${Date.now()}`, displayName: "x" } });
    expect([failed.status, failed.json.code, failed.headers.get("retry-after")]).toEqual([502, "upstream_error", "7"]);
    expect(await callsTo("nflow")).toHaveLength(1);
    await control("nflow", { failNext: { status: 412, times: 1, body: { errors: [{ code: "ACTION_REQUIRED", message: "Action required", data: { refId: "r" } }] } } });
    expect((await call(url, "POST", apps, { key: uma.key, body: { name: `no_${Date.now()}`, displayName: "x" } })).json.code).toBe("upstream_action_required");
  });

  it("a viewer reads and changes nothing, by our own rule before NFlow's", async () => {
    const { access_token } = await tokensOf("vic");
    expect((await call(url, "POST", `${apps}/search`, { bearer: access_token, body: {} })).status).toBe(200);
    await forgetCalls("nflow");
    const refused = await call(url, "POST", apps, { bearer: access_token, body: { name: "no", displayName: "no" } });
    expect([refused.status, refused.json.permission]).toEqual([403, "nflow:write"]);
    expect(await callsTo("nflow")).toHaveLength(0);
  });
});
