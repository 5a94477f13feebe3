import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, control, eachDoor, keyOf, resetParts, revoke } from "./client";

let uma: { id: string; key: string };
let ada: { id: string; key: string };

beforeAll(async () => {
  await resetParts();
  uma = await keyOf("uma", { permissions: ["write"] });
  ada = await keyOf("ada", { permissions: ["*"] });
});
afterEach(resetParts);
afterAll(async () => {
  await revoke("uma", uma.id);
  await revoke("ada", ada.id);
});

describe.each(eachDoor)("administration at the $name door", ({ url }) => {
  it("syncs chatflows, and a failing or foreign answer deletes nothing", async () => {
    const synced = await call(url, "POST", "/api/admin/chatflows/sync", { key: ada.key });
    expect(synced.json).toMatchObject({ total_fetched: expect.any(Number), errors: 0, error_details: [], deleted: 0 });
    for (const status of [500, 401]) {
      await control("flowise", { failNext: { status, times: 1 } });
      expect((await call(url, "POST", "/api/v1/admin/chatflows/sync", { key: ada.key })).status).toBe(502);
    }
    expect((await call(url, "GET", "/api/v1/chatflows", { key: uma.key })).json.length).toBeGreaterThan(1);
  });

  it("assigns by email exactly once, takes away once, and brings back", async () => {
    const path = `/api/admin/chatflows/${flowIds.draft}/users/email/vic@acme.test`;
    const first = await call(url, "POST", path, { key: ada.key });
    expect(first.json).toMatchObject({ username: "vic", email: "vic@acme.test", chatflow_id: flowIds.draft, chatflow_name: "Draft flow" });
    expect((await call(url, "DELETE", path, { key: ada.key })).json.removed_at).toMatch(/Z$/);
    const twice = await call(url, "DELETE", path, { key: ada.key });
    expect([twice.status, twice.json.code]).toEqual([409, "already_inactive"]);
    expect((await call(url, "POST", path, { key: ada.key })).json.status).toBe("reactivated");
    await call(url, "DELETE", path, { key: ada.key });
    expect((await call(url, "POST", `/api/admin/chatflows/${flowIds.draft}/users/email/nobody@acme.test`, { key: ada.key })).status).toBe(404);
    expect((await call(url, "POST", `/api/admin/chatflows/${flowIds.draft}/users/email/not-an-email`, { key: ada.key })).status).toBe(422);
  });

  it("nobody but administrators does any of it", async () => {
    for (const [path, permission] of [["/api/admin/chatflows/sync", "admin:chatflows"], [`/api/admin/chatflows/${flowIds.draft}/users/email/uma@acme.test`, "admin:chatflows"], ["/api/admin/users/11111111-1111-4111-8111-111111111111/credits", "admin:credits"]]) {
      const answer = await call(url, "POST", path!, { key: uma.key, body: { amount: 1, reason: "x" } });
      expect([answer.status, answer.json.permission], path).toEqual([403, permission]);
    }
    const bad = await call(url, "POST", "/api/admin/users/11111111-1111-4111-8111-111111111111/credits", { key: ada.key, body: { amount: 0, reason: "" } });
    expect([bad.status, bad.json.errors.length]).toEqual([422, 2]);
  });
});
