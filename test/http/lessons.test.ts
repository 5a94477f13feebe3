import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { request } from "undici";
import { flowIds } from "../../dev/flowise/flows";
import { call, demo, doors, eachDoor, keyOf, resetParts, revoke, signIn, tokensOf } from "./client";
import { type Replica, startReplica } from "./replica";

// What went wrong in other gateways, and must not here. Each test's name says the lesson; that IPv6 rotation beats a limit is in limits.test.ts.
const made: { who: string; id: string }[] = [];
const keyFor = async (who: string, body: Record<string, unknown> = {}) => {
  const key = await keyOf(who, body);
  made.push({ who, id: key.id });
  return key;
};
const me = (url: string, key: string, headers: Record<string, string> = {}) => call(url, "GET", "/api/v1/auth/me", { key, headers });

let uma: string;
beforeAll(async () => {
  await resetParts();
  uma = (await tokensOf("uma")).access_token;
});
// A person may have ten.
afterEach(async () => {
  for (const { who, id } of made.splice(0)) await revoke(who, id);
});

it("a window that moves with every request locks an honest client out: whoever keeps asking is admitted when the window is over", async () => {
  const window = 3;
  const { key } = await keyFor("uma", { rateLimit: { requests: 2, window } });
  const first = Date.now();
  expect([(await me(doors.own, key)).status, (await me(doors.own, key)).status]).toEqual([200, 200]);
  let refused = 0;
  for (;;) {
    const answer = await me(doors.own, key);
    if (answer.status === 200) break;
    refused += 1;
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(window);
    expect(Date.now() - first).toBeLessThan(window * 1000 + 5000);
  }
  expect(refused).toBeGreaterThan(5);
  expect(Date.now() - first).toBeGreaterThanOrEqual(window * 1000 - 50);
});

describe.each(eachDoor)("at the $name door", ({ url }) => {
  it("refusing an oversized call must not empty the bucket: it counts as the one call that it was", async () => {
    const { key } = await keyFor("uma", { rateLimit: { requests: 10, window: 3600 }, permissions: ["write", "api-keys:create"] });
    const before = Number((await me(url, key)).headers.get("x-ratelimit-remaining"));
    const answer = await call(url, "POST", "/api/v1/auth/api-keys", { key, body: { name: "x".repeat(2_000_000) } }).catch(() => null);
    // The door stops reading: the client may see the answer, or only that nobody listens any more.
    if (answer) expect([answer.status, answer.json.code]).toEqual([413, "body_too_large"]);
    expect(Number((await me(url, key)).headers.get("x-ratelimit-remaining"))).toBe(before - 2);
  });

  it("Retry-After is seconds, not an epoch, and Reset is an epoch, not seconds", async () => {
    const { key } = await keyFor("uma", { rateLimit: { requests: 1, window: 60 } });
    await me(url, key);
    const refused = await me(url, key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toMatch(/^\d{1,2}$/);
    const wait = Number(refused.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
    const reset = Number(refused.headers.get("x-ratelimit-reset"));
    expect(Math.abs(reset - (Date.now() / 1000 + wait))).toBeLessThanOrEqual(3);
    expect(refused.headers.get("ratelimit")).toBe(`"key";r=0;t=${wait}`);
    expect(refused.json.detail).toContain(`${wait} seconds`);
  });

  it("an expiry that is read back from a cache as text never expires: a key that is warm in the cache ends at its moment", async () => {
    const expiresAt = Date.now() + 2500;
    // A fast machine makes more than a thousand calls in the meantime.
    const { key } = await keyFor("uma", { expiresAt: new Date(expiresAt).toISOString(), rateLimit: { requests: 1_000_000, window: 60 } });
    let admittedAt = 0;
    for (;;) {
      const sentAt = Date.now();
      const answer = await me(url, key);
      if (answer.status === 200) admittedAt = sentAt;
      else {
        expect([answer.status, answer.json.code]).toEqual([401, "key_expired"]);
        break;
      }
      expect(sentAt).toBeLessThan(expiresAt + 500);
    }
    // It was warm, so what ended it was the check's own comparison.
    expect(admittedAt).toBeGreaterThan(expiresAt - 1500);
  });

  it("a Host header must not move a route check: whatever it says, the path decides", async () => {
    const ask = async (path: string, host: string) => {
      const answer = await request(url + path, { headers: { host }, method: "GET" });
      return { status: answer.statusCode, location: answer.headers.location, text: await answer.body.text() };
    };
    for (const host of ["evil.test", "evil.test/api/health/live?", "localhost/health#", "x/.well-known/jwks.json?", "127.0.0.1:1/api/openapi.json?a="]) {
      for (const path of ["/api/v1/auth/me", "/api/v1/auth/api-keys", "/api/v1/chatflows"]) {
        const answer = await ask(path, host);
        // Node itself may refuse a Host that is none; what must not happen is an answer without a credential.
        expect([400, 401], `${host} ${path}`).toContain(answer.status);
        expect(answer.text).not.toContain("evil.test");
      }
    }
  });

  it("keys for another user cannot be minted through a user id in the body", async () => {
    const gus = await tokensOf("gus");
    const mine = (await call(url, "GET", "/api/v1/auth/me", { bearer: uma })).json.data;
    const theirs = (await call(url, "GET", "/api/v1/auth/me", { bearer: gus.access_token })).json.data;
    const total = async () => (await call(url, "GET", "/api/v1/auth/api-keys?limit=100", { bearer: gus.access_token })).json.data.length;
    const before = await total();
    for (const field of ["userId", "user_id", "user", "ownerId", "referenceId", "memberId", "tenantId", "tenant", "createdBy"]) {
      const answer = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: uma, body: { name: "not mine", [field]: field.startsWith("tenant") ? theirs.tenantId : theirs.id } });
      expect([answer.status, answer.json.code], field).toEqual([422, "validation_failed"]);
    }
    for (const query of [`userId=${theirs.id}`, `user_id=${theirs.id}`]) {
      const answer = await call(url, "POST", `/api/v1/auth/api-keys?${query}`, { bearer: uma, body: { name: "mine all the same" }, headers: { "x-user-id": theirs.id, "x-sluice-user": theirs.id } });
      if (answer.status !== 201) continue;
      made.push({ who: "uma", id: answer.json.data.id });
      expect(answer.json.data.userId).toBe(mine.id);
    }
    expect(await total()).toBe(before);
  });
});

describe("an address list compared as text is no CIDR", () => {
  let replica: Replica;
  beforeAll(async () => { replica = await startReplica({ TRUSTED_PROXIES: "127.0.0.0/8,::1" }); });
  afterAll(() => replica.stop());

  it("networks of both kinds admit what lies in them, however it is written, and nothing that only looks like it", async () => {
    const { key } = await keyFor("uma", { allowedIps: ["203.0.113.0/28", "2001:db8:a::/48", "198.51.100.1"] });
    const from = async (address: string) => {
      const answer = await me(replica.url, key, { "x-forwarded-for": address });
      return answer.status === 200 ? "admitted" : answer.json.code;
    };
    for (const inside of ["203.0.113.0", "203.0.113.15", "::ffff:203.0.113.7", "::ffff:cb00:7107", "2001:db8:a::1", "2001:DB8:A:ffff::", "2001:0db8:000a:0001:0:0:0:1", "198.51.100.1"]) expect([inside, await from(inside)]).toEqual([inside, "admitted"]);
    for (const outside of ["203.0.113.16", "203.0.113.150", "203.0.11.3", "2001:db8:a1::1", "2001:db8:b::1", "198.51.100.10", "198.51.100.11", "::ffff:203.0.113.16", "::cb00:7107"]) expect([outside, await from(outside)]).toEqual([outside, "ip_not_allowed"]);
  });

  it("a caller who is no trusted proxy is where it is, whatever headers it sends", async () => {
    const { key } = await keyFor("uma", { allowedIps: ["203.0.113.0/28"] });
    for (const headers of [{ "x-forwarded-for": "203.0.113.1" }, { forwarded: "for=203.0.113.1" }, { "x-real-ip": "203.0.113.1" }, { "x-client-ip": "203.0.113.1" }, { "x-sluice-client-address": "203.0.113.1" }] as Record<string, string>[]) {
      const answer = await me(doors.own, key, headers);
      expect([answer.status, answer.json.code]).toEqual([403, "ip_not_allowed"]);
    }
  });
});

it("budgets enforced after the fact drift both ways: predictions at the same moment spend exactly what is there", async () => {
  const ada = await keyFor("ada", { permissions: ["*"] });
  const { key } = await keyFor("uma", { permissions: ["write"] });
  const who = (await me(doors.own, key)).json.data.id;
  const credits = async () => (await call(doors.own, "GET", "/api/v1/chat/credits", { key })).json as { credits: number; held: number };
  const adjust = async (amount: number) => expect((await call(doors.own, "POST", `/api/admin/users/${who}/credits`, { key: ada.key, body: { amount, reason: "lesson" } })).status).toBe(200);
  const [before, budget] = [(await credits()).credits, 5];
  await adjust(budget - before);
  try {
    const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => call(i % 2 ? doors.own : doors.next, "POST", "/api/v1/chat/predict", { key, body: { chatflow_id: flowIds.support, question: `q${i}` } })));
    expect(answers.map((a) => a.status).sort()).toEqual([...Array.from({ length: budget }, () => 200), ...Array.from({ length: 16 - budget }, () => 402)]);
    expect(answers.filter((a) => a.status === 402).every((a) => a.json.code === "out_of_credits")).toBe(true);
    expect(await credits()).toMatchObject({ credits: 0, held: 0 });
  } finally {
    await adjust(before - budget);
  }
});

describe("headers by which a proxy speaks of its client change nothing for anybody else", () => {
  const lies = { "x-forwarded-for": "203.0.113.77", forwarded: "for=203.0.113.77;host=evil.test;proto=http", "x-real-ip": "203.0.113.77", "x-client-ip": "203.0.113.77", "x-forwarded-host": "evil.test", "x-forwarded-proto": "http", "x-sluice-client-address": "203.0.113.77", "x-sluice-inner": "guess" };
  const addressesOf = async (action: string, since: Date) => {
    const client = new pg.Client({ connectionString: demo.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ ip: string | null }>('SELECT ip FROM "AuditEvent" WHERE action = $1 AND at >= $2', [action, since]);
    await client.end();
    return rows.map((row) => row.ip);
  };

  it.each(eachDoor)("in the API at the $name door: the audit knows the peer", async ({ url }) => {
    const since = new Date();
    const answer = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: uma, body: { name: "from where?" }, headers: lies });
    expect(answer.status).toBe(201);
    made.push({ who: "uma", id: answer.json.data.id });
    expect(answer.text).not.toContain("evil.test");
    const ips = await addressesOf("key.created", since);
    expect(ips.length).toBeGreaterThan(0);
    for (const ip of ips) expect(["127.0.0.1", "::1", null]).toContain(ip);
  });

  it("in pages: a sign-in is audited with the peer's address, and redirects stay at home", async () => {
    const since = new Date();
    const { Browser } = await import("../browser");
    const browser = new Browser();
    Object.assign(browser.headers, lies);
    await signIn("uma", browser);
    const page = await browser.go(`${demo.url}/overview`);
    expect([page.response.status, new URL(page.url).origin]).toEqual([200, new URL(demo.url).origin]);
    const ips = (await Promise.all(["session.created", "session.started"].map((action) => addressesOf(action, since)))).flat();
    expect(ips.length).toBeGreaterThan(0);
    for (const ip of ips) expect(["127.0.0.1", "::1"]).toContain(ip);
    const out = await fetch(`${demo.url}/keys`, { redirect: "manual", headers: lies });
    expect(new URL(out.headers.get("location") ?? "", demo.url).origin).toBe(new URL(demo.url).origin);
  });
});
