import { beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, demo, doors, eachDoor, keyOf, revoke, sha256, tokensOf } from "./client";

let uma: string;
let gus: string;
beforeAll(async () => {
  [uma, gus] = (await Promise.all([tokensOf("uma"), tokensOf("gus")])).map((t) => t.access_token) as [string, string];
});

describe.each(eachDoor)("API keys at the $name door", ({ url }) => {
  it("the list is sorted as asked, its pages keep the sort by their cursor, and the last 36 hours come with it where they are asked for", async () => {
    const stamp = `sorted${Date.now()}`;
    const ids: string[] = [];
    for (const letter of ["b", "C", "a"]) ids.push((await call(url, "POST", "/api/v1/auth/api-keys", { bearer: gus, body: { name: `${letter} ${stamp}` } })).json.data.id);
    const path = `/api/v1/auth/api-keys?q=${stamp}&limit=2`;
    const names = (answer: { json: { data: { name: string }[] } }) => answer.json.data.map((key) => key.name.charAt(0));
    const first = await call(url, "GET", `${path}&sort=name`, { bearer: gus });
    expect(names(first)).toEqual(["a", "b"]);
    expect(first.json.data[0]).not.toHaveProperty("activity");
    const second = await call(url, "GET", `${path}&activity=true&cursor=${first.json.page.nextCursor}`, { bearer: gus });
    expect(names(second)).toEqual(["C"]);
    expect(second.json.data[0].activity).toHaveLength(36);
    expect(second.json.page.nextCursor).toBeNull();
    expect(names(await call(url, "GET", `${path}&sort=name&order=desc`, { bearer: gus }))).toEqual(["C", "b"]);
    for (const wrong of [`sort=createdAt&cursor=${first.json.page.nextCursor}`, "sort=secretHash", "order=up", "cursor=x"]) {
      expect((await call(url, "GET", `${path}&${wrong}`, { bearer: gus })).status, wrong).toBe(422);
    }
    for (const id of ids) await call(url, "DELETE", `/api/v1/auth/api-keys/${id}`, { bearer: gus });
  });

  it("a key lives from creation to revocation, and its secret is answered once", async () => {
    const made = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: uma, body: { name: "life", permissions: ["read", "ai:predict"], rateLimit: { requests: 50, window: 60 }, expiresIn: 3600 } });
    expect(made.status).toBe(201);
    const { key, id, ...rest } = made.json.data;
    expect(key).toMatch(/^slk_[0-9A-Za-z]{49}$/);
    expect(rest).toMatchObject({ name: "life", start: key.slice(0, 8), last4: key.slice(-4), status: "active", isActive: true, rateLimit: { requests: 50, window: 60 }, requestCount: 0, revokedAt: null, chatflowIds: null, allowedIps: [], rotation: null });
    expect(rest.permissions).toContain("nflow:read");

    const me = await call(url, "GET", "/api/v1/auth/me", { key });
    expect(me.status).toBe(200);
    expect(me.json.data).toMatchObject({ actor: "apiKey", apiKeyId: id, role: "user", rateLimit: { requests: 50, window: 60 } });
    expect(me.headers.get("x-ratelimit-limit")).toBe("50");
    expect(me.headers.get("x-ratelimit-remaining")).toBe("49");
    expect(me.headers.get("ratelimit-policy")).toBe('"key";q=50;w=60');
    expect(me.headers.get("ratelimit")).toMatch(/^"key";r=49;t=\d+$/);
    expect(Number(me.headers.get("x-ratelimit-reset"))).toBeGreaterThan(Date.now() / 1000);

    const listed = await call(url, "GET", "/api/v1/auth/api-keys?q=life&limit=100", { bearer: uma });
    expect(listed.text).not.toContain(key);
    expect(listed.text).not.toContain(sha256(key));
    expect(listed.json.data.map((k: { id: string }) => k.id)).toContain(id);
    expect(listed.json.page).toMatchObject({ limit: 100 });

    expect((await call(url, "DELETE", `/api/v1/auth/api-keys/${id}`, { bearer: uma })).status).toBe(200);
    const refused = await call(url, "GET", "/api/v1/auth/me", { key });
    expect(refused.status).toBe(401);
    expect(refused.json).toMatchObject({ code: "key_revoked", status: 401, type: `${demo.url}/docs/errors/key_revoked`, instance: "/api/v1/auth/me" });
    expect(refused.json.error).toBe(refused.json.detail);
    expect(refused.headers.get("www-authenticate")).toBe("Bearer");
    expect(refused.headers.get("content-type")).toContain("application/problem+json");
    const again = await call(url, "DELETE", `/api/v1/auth/api-keys/${id}`, { bearer: uma });
    expect(again.status).toBe(200);
    expect(again.json.data).toMatchObject({ isActive: false, status: "revoked" });
    expect((await call(url, "PATCH", `/api/v1/auth/api-keys/${id}`, { bearer: uma, body: { isActive: true } })).json.code).toBe("conflict");
  });

  it("X-API-Key and Bearer are the same key; two different ones are ambiguous; none is missing", async () => {
    const { key, id } = await keyOf("uma");
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: key })).status).toBe(200);
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: key, key })).status).toBe(200);
    const two = await call(url, "GET", "/api/v1/auth/me", { bearer: uma, key });
    expect([two.status, two.json.code]).toEqual([400, "ambiguous_credentials"]);
    const none = await call(url, "GET", "/api/v1/auth/me");
    expect([none.status, none.json.code]).toEqual([401, "missing_credentials"]);
    expect((await call(url, "GET", `/api/v1/auth/me?api_key=${key}&key=${key}`)).status).toBe(401);
    await revoke("uma", id);
  });

  it("unknown, mistyped and malformed keys are refused alike", async () => {
    const { key, id } = await keyOf("uma");
    await revoke("uma", id);
    const mistyped = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    for (const wrong of [mistyped, "nonsense", "slk_", `kaa_${"a".repeat(64)}`, `x${key}`]) {
      const answer = await call(url, "GET", "/api/v1/auth/me", { key: wrong });
      expect([answer.status, answer.json.code], wrong).toEqual([401, "invalid_credentials"]);
      expect(answer.text).not.toContain(wrong);
    }
  });

  it("a disabled key is refused until it is enabled, an expired one for good", async () => {
    const { key, id } = await keyOf("uma");
    expect((await call(url, "PATCH", `/api/v1/auth/api-keys/${id}`, { bearer: uma, body: { isActive: false } })).json.data.status).toBe("disabled");
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).json.code).toBe("key_disabled");
    expect((await call(url, "PATCH", `/api/v1/auth/api-keys/${id}`, { bearer: uma, body: { isActive: true } })).status).toBe(200);
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).status).toBe(200);
    await revoke("uma", id);
    const short = await keyOf("uma", { expiresIn: 1 });
    await expect.poll(async () => (await call(url, "GET", "/api/v1/auth/me", { key: short.key })).json.code, { timeout: 5000 }).toBe("key_expired");
    await revoke("uma", short.id);
  });

  it("the limit admits exactly what it says to a burst, and says when to come back", async () => {
    const { key, id } = await keyOf("uma", { rateLimit: { requests: 5, window: 60 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(url, "GET", "/api/v1/auth/me", { key })));
    expect(answers.filter((a) => a.status === 200)).toHaveLength(5);
    const refused = answers.filter((a) => a.status === 429);
    expect(refused).toHaveLength(15);
    const wait = Number(refused[0]?.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
    expect(refused[0]?.json).toMatchObject({ code: "rate_limited", detail: `Rate limit exceeded. Retry after ${wait} seconds.` });
    expect(refused[0]?.headers.get("x-ratelimit-remaining")).toBe("0");
    await revoke("uma", id);
  });

  it("both replicas' callers share one budget", async () => {
    const { key, id } = await keyOf("uma", { rateLimit: { requests: 10, window: 60 } });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => call(i % 2 ? doors.own : doors.next, "GET", "/api/v1/auth/me", { key })));
    expect(answers.filter((a) => a.status === 200)).toHaveLength(10);
    await revoke("uma", id);
  });

  it("a missing permission is named, and nobody gives what they do not hold", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["chatflows:read", "api-keys:create"] });
    const lacking = await call(url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} });
    expect([lacking.status, lacking.json.code, lacking.json.permission]).toEqual([403, "insufficient_permission", "nflow:read"]);
    const wider = await call(url, "POST", "/api/v1/auth/api-keys", { key, body: { name: "wider", permissions: ["ai:predict"] } });
    expect([wider.status, wider.json.code]).toEqual([403, "permission_escalation"]);
    const admin = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: uma, body: { name: "boss", permissions: ["admin"] } });
    expect([admin.status, admin.json.code]).toEqual([403, "permission_escalation"]);
    await revoke("uma", id);
  });

  it("another tenant's person finds 404, and nothing has moved", async () => {
    const { key, id } = await keyOf("uma");
    for (const [method, body] of [["GET", undefined], ["PATCH", { name: "mine" }], ["DELETE", undefined]] as const) {
      const answer = await call(url, method, `/api/v1/auth/api-keys/${id}`, { bearer: gus, body });
      expect([answer.status, answer.json.code], method).toEqual([404, "not_found"]);
    }
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).status).toBe(200);
    expect((await call(url, "GET", "/api/v1/auth/api-keys/not-an-id", { bearer: uma })).status).toBe(404);
    await revoke("uma", id);
  });

  it("a viewer creates nothing", async () => {
    const { access_token } = await tokensOf("vic");
    const answer = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: access_token, body: { name: "no" } });
    expect([answer.status, answer.json.code, answer.json.permission]).toEqual([403, "insufficient_permission", "api-keys:create"]);
  });

  it("use and count are there two seconds after the call", async () => {
    const { key, id } = await keyOf("uma");
    for (let i = 0; i < 3; i++) await call(url, "GET", "/api/v1/auth/me", { key });
    await expect.poll(async () => (await call(url, "GET", `/api/v1/auth/api-keys/${id}`, { bearer: uma })).json.data.requestCount, { timeout: 5000 }).toBe(3);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}`, { bearer: uma })).json.data.lastUsedAt).toMatch(/^\d{4}-.*Z$/);
    await revoke("uma", id);
  });

  it("a key is rotated with an overlap: both secrets work, the old one's end is in force with the answer", async () => {
    const { key, id } = await keyOf("uma");
    const rotated = await call(url, "POST", `/api/v1/auth/api-keys/${id}/rotate`, { bearer: uma, body: { overlapSeconds: 3600, endWhenQuietSeconds: 600 } });
    expect(rotated.status).toBe(201);
    expect(rotated.json.data).toMatchObject({ id, key: expect.stringMatching(/^slk_/), rotation: { overlapEndsAt: expect.stringMatching(/Z$/), previousSecretLastUsedAt: null } });
    expect(rotated.json.message).toContain("will not be shown again");
    for (const secret of [key, rotated.json.data.key]) expect((await call(url, "GET", "/api/v1/auth/me", { key: secret })).json.data.apiKeyId).toBe(id);
    expect((await call(url, "POST", `/api/v1/auth/api-keys/${id}/rotate`, { bearer: uma, body: { overlapSeconds: 0 } })).json.code).toBe("conflict");
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/rotation`, { bearer: uma })).json.data).toMatchObject({ overlapEndsAt: rotated.json.data.rotation.overlapEndsAt });
    expect((await call(url, "DELETE", `/api/v1/auth/api-keys/${id}/rotation`, { bearer: uma })).json.data.rotation).toBeNull();
    const old = await call(url, "GET", "/api/v1/auth/me", { key });
    expect([old.status, old.json.code]).toEqual([401, "key_rotated"]);
    expect((await call(url, "GET", "/api/v1/auth/me", { key: rotated.json.data.key })).status).toBe(200);
    expect((await call(url, "GET", `/api/v1/auth/api-keys/${id}/rotation`, { bearer: uma })).json.data).toBeNull();
    await revoke("uma", id);
  });

  it("who still calls with the old secret is told: address, agent, when and how often", async () => {
    const { key, id } = await keyOf("uma");
    await call(url, "POST", `/api/v1/auth/api-keys/${id}/rotate`, { bearer: uma, body: { overlapSeconds: 3600 } });
    for (let i = 0; i < 3; i++) await call(url, "GET", "/api/v1/auth/me", { key, headers: { "user-agent": "old-client/1.0" } });
    await expect.poll(async () => (await call(url, "GET", `/api/v1/auth/api-keys/${id}/rotation`, { bearer: uma })).json.data.callers, { timeout: 8000 })
      .toEqual([{ ip: url === doors.own ? expect.stringMatching(/^(127\.0\.0\.1|::1)$/) : null, userAgent: "old-client/1.0", lastUsedAt: expect.stringMatching(/Z$/), requests: 3 }]);
    await revoke("uma", id);
  });

  it("a secret that was quiet for as long as was said ends by itself", async () => {
    const { key, id } = await keyOf("uma");
    await call(url, "POST", `/api/v1/auth/api-keys/${id}/rotate`, { bearer: uma, body: { overlapSeconds: 3600, endWhenQuietSeconds: 1 } });
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).status).toBe(200);
    await expect.poll(async () => (await call(url, "GET", `/api/v1/auth/api-keys/${id}`, { bearer: uma })).json.data.rotation, { timeout: 15_000 }).toBeNull();
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).json.code).toBe("key_rotated");
    await revoke("uma", id);
  });

  it("a key that is limited to addresses is refused from elsewhere, in its tokens too", async () => {
    const here = ["127.0.0.0/8", "::1"];
    const { key, id } = await keyOf("uma", { allowedIps: here, permissions: ["read", "ai:predict"] });
    // The second door alone does not learn the caller's address, and then no list has it.
    const inside = url === doors.own ? 200 : 403;
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).status).toBe(inside);
    const tokens = await call(doors.own, "POST", "/api/v1/chat/authenticate", { body: { api_key: key } });
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: tokens.json.access_token })).status).toBe(inside);
    expect((await call(url, "PATCH", `/api/v1/auth/api-keys/${id}`, { bearer: uma, body: { allowedIps: ["192.0.2.1", "2001:DB8::/33"] } })).json.data.allowedIps).toEqual(["192.0.2.1/32", "2001:db8::/33"]);
    for (const credential of [{ key }, { bearer: tokens.json.access_token as string }]) {
      const refused = await call(url, "GET", "/api/v1/auth/me", credential);
      expect([refused.status, refused.json.code]).toEqual([403, "ip_not_allowed"]);
    }
    const wrong = await call(url, "PATCH", `/api/v1/auth/api-keys/${id}`, { bearer: uma, body: { allowedIps: ["10.0.0.0/8", "10.0.0.0/33", "somewhere"] } });
    expect(wrong.status).toBe(422);
    expect(wrong.json.errors.map((e: { pointer: string }) => e.pointer)).toEqual(["/allowedIps/1", "/allowedIps/2"]);
    await revoke("uma", id);
  });

  it("a key that is limited to chatflows sees and runs no others, in its tokens too", async () => {
    const { key, id } = await keyOf("uma", { chatflowIds: [flowIds.releaseNotes] });
    const tokens = await call(doors.own, "POST", "/api/v1/chat/authenticate", { body: { api_key: key } });
    for (const credential of [{ key }, { bearer: tokens.json.access_token as string }]) {
      expect((await call(url, "GET", "/api/v1/chatflows", credential)).json.map((flow: { id: string }) => flow.id)).toEqual([flowIds.releaseNotes]);
      expect((await call(url, "GET", "/api/v1/chat/my-assigned-chatflows", credential)).json).toEqual({ assigned_chatflow_ids: [flowIds.releaseNotes], count: 1 });
      const other = await call(url, "POST", "/api/v1/chat/predict", { ...credential, body: { chatflow_id: flowIds.support, question: "q" } });
      expect([other.status, other.json.code]).toEqual([404, "not_found"]);
      expect((await call(url, "POST", `/api/v1/prediction/${flowIds.support}`, { ...credential, body: { question: "q" } })).status).toBe(404);
    }
    expect((await call(url, "POST", "/api/v1/chat/predict", { key, body: { chatflow_id: flowIds.releaseNotes, question: "q" } })).status).toBe(200);
    await revoke("uma", id);
  });

  it("other services may ask about a key, administrators only, and asking takes nothing", async () => {
    const { key, id } = await keyOf("uma", { rateLimit: { requests: 2, window: 60 } });
    const ada = (await tokensOf("ada")).access_token;
    for (let i = 0; i < 4; i++) expect((await call(url, "POST", "/api/v1/auth/api-keys/verify", { bearer: ada, body: { key, permission: "ai:predict" } })).json.data).toMatchObject({ valid: true, apiKeyId: id, rateLimit: { requests: 2, window: 60 } });
    expect((await call(url, "POST", "/api/v1/auth/api-keys/verify", { bearer: ada, body: { key, permission: "nflow:write" } })).json.data).toMatchObject({ valid: false, code: "insufficient_permission" });
    expect((await call(url, "GET", "/api/v1/auth/me", { key })).headers.get("x-ratelimit-remaining")).toBe("1");
    expect((await call(url, "POST", "/api/v1/auth/api-keys/verify", { bearer: uma, body: { key } })).json.code).toBe("insufficient_permission");
    await revoke("uma", id);
    expect((await call(url, "POST", "/api/v1/auth/api-keys/verify", { bearer: ada, body: { key } })).json.data).toEqual({ valid: false, code: "key_revoked", apiKeyId: id, ownerId: expect.any(String) });
  });
});
