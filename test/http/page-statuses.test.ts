import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLink, type Link } from "../../dev/testing/link";
import { call, demo, doors, keyOf, revoke, signIn } from "./client";
import { type Replica, startReplica } from "./replica";

/** As a browser opens an address. */
const asPage = { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };
const open = (base: string, path: string, cookie?: string) => call(base, "GET", path, { ...(cookie && { cookie }), headers: asPage });

let uma = "";
let ada = "";
beforeAll(async () => {
  uma = (await signIn("uma")).cookies(demo.url);
  ada = (await signIn("ada")).cookies(demo.url);
});

describe("a page has the status of what it shows", () => {
  it.each(["/overview", "/keys", "/sessions", "/admin/people", `/keys/${randomUUID()}`])("%s sends a session that is over to sign in before its first byte", async (path) => {
    for (const value of [`${uma.slice(0, -30)}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`, "sluice.session=nonsense"]) {
      const answer = await open(doors.own, path, value);
      expect([answer.status, answer.headers.get("location")]).toEqual([307, expect.stringContaining(`/sign-in?returnTo=${encodeURIComponent(path)}`)]);
    }
  });

  it.each(["/keys/nope", `/keys/${randomUUID()}`, "/chatflows/nope", "/requests/no%20such", "/nowhere", "/docs/errors/nothing"])("%s is a 404", async (path) => {
    expect((await open(doors.own, path, uma)).status).toBe(404);
  });

  it.each(["/admin/keys", "/admin/people", `/admin/people/${randomUUID()}`, `/admin/keys/${randomUUID()}`, "/admin/requests", "/admin/tenants", "/admin/plans"])("%s is a 404 for a user who may not see it, and says nothing of why", async (path) => {
    const answer = await open(doors.own, path, uma);
    expect(answer.status).toBe(404);
    expect(answer.text).not.toMatch(/permission|could not be read/);
    expect((await open(doors.own, path, ada)).status).toBe(/[0-9a-f]{8}-/.test(path) ? 404 : 200);
  });

  it("what cannot be answered now is a 503 with Retry-After, and a link that leads there still shows it", async () => {
    const answer = await open(doors.own, "/identity-unavailable");
    expect([answer.status, Number(answer.headers.get("retry-after"))]).toEqual([503, expect.any(Number)]);
    expect(answer.text).toContain("The identity service does not answer");
    expect((await call(doors.own, "GET", "/identity-unavailable", { headers: { rsc: "1" } })).status).toBeLessThan(400);
  });

  it("a user without a role is sent to a page that is a 403", async () => {
    const nel = (await signIn("nel")).cookies(demo.url);
    const sent = await open(doors.own, "/keys", nel);
    expect([sent.status, sent.headers.get("location")]).toEqual([307, expect.stringContaining("/no-access")]);
    expect((await open(doors.own, "/no-access", nel)).status).toBe(403);
  });
});

describe("while PostgreSQL is frozen", () => {
  let link: Link;
  let replica: Replica;
  let key: { id: string; key: string };
  beforeAll(async () => {
    const database = new URL(demo.databaseUrl);
    link = await openLink(Number(database.port));
    database.port = String(link.port);
    database.hostname = "127.0.0.1";
    replica = await startReplica({ SERVER_MODE: "split", DATABASE_URL: database.href });
    key = await keyOf("uma", { permissions: ["read"] });
    expect((await open(replica.url, "/keys", uma)).status).toBe(200);
    link.freeze();
  });
  afterAll(async () => {
    link.resume();
    await replica.stop();
    await link.close();
    await revoke("uma", key.id);
  });

  /** Twelve seconds on a busy machine are still less than what any proxy or person waits; the deadlines themselves are 4 to 7 s. */
  const waitMsMax = 12_000;
  const timed = async (ask: () => ReturnType<typeof call>) => {
    const from = performance.now();
    const answer = await ask();
    expect(performance.now() - from).toBeLessThan(waitMsMax);
    return answer;
  };

  it("a page says within its deadline that a store is away", async () => {
    const keys = await timed(() => open(replica.url, "/keys", uma));
    expect([keys.status, Number(keys.headers.get("retry-after"))]).toEqual([503, expect.any(Number)]);
    // Each of its panels stands for itself.
    const overview = await timed(() => open(replica.url, "/overview", uma));
    expect([overview.status, overview.text.includes("The balance cannot be read right now.")]).toEqual([200, true]);
  });

  it.each(["/api/v1/auth/api-keys", "/api/v1/chatflows", "/api/v1/requests", "/api/v1/chat/credits"])("GET %s is store_unavailable within its deadline", async (path) => {
    for (const who of [{ cookie: uma }, { key: key.key }]) {
      const answer = await timed(() => call(replica.url, "GET", path, who));
      expect([answer.status, answer.json.code, Number(answer.headers.get("retry-after"))]).toEqual([503, "store_unavailable", expect.any(Number)]);
    }
  });

  it("all of it works again as soon as PostgreSQL answers", async () => {
    link.resume();
    await expect.poll(async () => (await open(replica.url, "/keys", uma)).status, { timeout: 30_000 }).toBe(200);
    await expect.poll(async () => (await call(replica.url, "GET", "/api/v1/auth/api-keys", { key: key.key })).status, { timeout: 30_000 }).toBe(200);
  });
});
