import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, callsTo, control, demo, doors, eachDoor, forgetCalls, keyOf, resetParts, revoke, tokensOf } from "./client";
import { startReplica } from "./replica";

let uma: { id: string; key: string };
let bearer: string;
let userId: string;
const sql = new pg.Pool({ connectionString: demo.databaseUrl, max: 2 });

beforeAll(async () => {
  await resetParts();
  const tokens = await tokensOf("uma");
  bearer = tokens.access_token;
  userId = tokens.user.id;
  uma = await keyOf("uma", { permissions: ["write", "api-keys:create", "api-keys:read", "credits:read"], rateLimit: { requests: 100_000, window: 3600 } });
});
afterEach(resetParts);
afterAll(async () => {
  await revoke("uma", uma.id);
  await sql.query(`UPDATE "ApiKey" SET "revokedAt" = now() WHERE name LIKE 'named %'`);
  await sql.end();
});

const named = (name: string) => ({ headers: { "idempotency-key": name } });
const credits = async () => (await call(doors.own, "GET", "/api/v1/chat/credits", { key: uma.key })).json as { credits: number; held: number };
const keysNamed = async (name: string) => (await sql.query(`SELECT id FROM "ApiKey" WHERE name = $1`, [name])).rowCount;
const predictions = async () => (await callsTo("flowise")).filter((c) => c.path.startsWith("/api/v1/prediction/"));
const question = { chatflow_id: flowIds.support, question: "Hello" };

describe.each(eachDoor)("Idempotency-Key at the $name door", ({ url }) => {
  const other = url === doors.own ? doors.next : doors.own;

  it("the first answer comes again at either door, without the secret, and one thing was made", async () => {
    const name = `named ${randomUUID()}`;
    const body = { name, expiresIn: 3600 };
    const first = await call(url, "POST", "/api/v1/auth/api-keys", { bearer, body, ...named(name.slice(6)) });
    expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([201, null]);
    for (const door of [url, other]) {
      const second = await call(door, "POST", "/api/v1/auth/api-keys", { bearer, body, ...named(name.slice(6)) });
      expect([second.status, second.headers.get("idempotency-replayed"), second.headers.get("content-type")]).toEqual([201, "true", "application/json"]);
      const { key: secret, ...rest } = first.json.data;
      expect(second.json.data).toEqual(rest);
      expect(second.json.message).toContain("not shown again");
      expect(second.text).not.toContain(secret);
      expect(second.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    }
    expect(await keysNamed(name)).toBe(1);
    const stored = await sql.query(`SELECT body FROM "IdempotencyRecord" WHERE body LIKE $1`, [`%${first.json.data.id}%`]);
    expect(stored.rowCount).toBe(1);
    expect(stored.rows[0].body).not.toContain(first.json.data.key);
    const changed = await call(url, "POST", "/api/v1/auth/api-keys", { bearer, body: { ...body, expiresIn: 7200 }, ...named(name.slice(6)) });
    expect([changed.status, changed.json.code]).toEqual([409, "idempotency_conflict"]);
  });

  it("a key, its owner's session and somebody else may choose the same name and never meet", async () => {
    const name = `named ${randomUUID()}`;
    const gus = (await tokensOf("gus")).access_token;
    const made = await Promise.all([{ bearer }, { key: uma.key }, { bearer: gus }].map((who) => call(url, "POST", "/api/v1/auth/api-keys", { ...who, body: { name, permissions: ["chatflows:read"], expiresIn: 3600 }, ...named(name.slice(6)) })));
    expect(made.map((a) => [a.status, a.headers.get("idempotency-replayed")])).toEqual([[201, null], [201, null], [201, null]]);
    expect(new Set(made.map((a) => a.json.data.userId)).size).toBe(2);
    expect(await keysNamed(name)).toBe(3);
  });

  it("a name is visible ASCII of 1 to 255 characters, and what was refused may try again under it", async () => {
    for (const bad of ["", "two words", "x".repeat(256), "tab\there"]) {
      const answer = await call(url, "POST", "/api/v1/auth/api-keys", { bearer, body: { name: "no" }, ...named(bad) });
      expect([answer.status, answer.json.errors?.[0].pointer], JSON.stringify(bad)).toEqual([422, "/header/Idempotency-Key"]);
    }
    const name = randomUUID();
    const refused = await call(url, "POST", "/api/v1/auth/api-keys", { bearer, body: { name: `named ${name}`, permissions: ["admin:users"] }, ...named(name) });
    expect(refused.json.code).toBe("permission_escalation");
    const now = await call(url, "POST", "/api/v1/auth/api-keys", { bearer, body: { name: `named ${name}`, expiresIn: 3600 }, ...named(name) });
    expect(now.status).toBe(201);
  });

  it("a prediction is paid for once, and its credit headers come again", async () => {
    const before = await credits();
    const name = randomUUID();
    const first = await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) });
    expect(first.status).toBe(200);
    await forgetCalls("flowise");
    const second = await call(other, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) });
    expect([second.status, second.json, second.headers.get("idempotency-replayed")]).toEqual([200, first.json, "true"]);
    for (const header of ["x-credits-held", "x-credits-remaining"]) expect(second.headers.get(header), header).toBe(first.headers.get(header));
    expect(await predictions()).toEqual([]);
    expect(before.credits - (await credits()).credits).toBe(first.json.credits_used);
  });

  it("a failed prediction spends nothing and may be tried again under its name", async () => {
    const before = await credits();
    const name = randomUUID();
    await control("flowise", { failNext: { status: 500, times: 1 } });
    expect((await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) })).status).toBe(502);
    expect(await credits()).toEqual(before);
    const again = await call(url, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) });
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
  });

  it("a stream is not repeated, and nothing is spent by asking", async () => {
    const name = randomUUID();
    const first = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: question, ...named(name) });
    expect([first.status, first.text]).toEqual([200, expect.stringContaining("event")]);
    await expect.poll(async () => (await credits()).held).toBe(0);
    const before = await credits();
    await forgetCalls("flowise");
    const second = await call(url, "POST", "/api/v1/chat/predict/stream", { key: uma.key, body: question, ...named(name) });
    expect([second.status, second.json.code]).toEqual([409, "idempotency_conflict"]);
    expect(await predictions()).toEqual([]);
    expect(await credits()).toEqual(before);
  });

  it("NFlow makes one application, and one whose outcome is not known is not sent twice", async () => {
    const name = randomUUID();
    const body = { name: `app${name.slice(0, 8)}`, displayName: "Named" };
    const first = await call(url, "POST", "/api/v1/nflow/builder/apps", { key: uma.key, body, ...named(name) });
    expect(first.status).toBe(201);
    const second = await call(other, "POST", "/api/v1/nflow/builder/apps", { key: uma.key, body, ...named(name) });
    expect([second.status, second.json, second.headers.get("idempotency-replayed")]).toEqual([201, first.json, "true"]);

    const taken = randomUUID();
    const conflict = () => call(url, "POST", "/api/v1/nflow/builder/apps", { key: uma.key, body, ...named(taken) });
    expect([(await conflict()).json.code, (await conflict()).json.code]).toEqual(["conflict", "conflict"]);

    const lost = randomUUID();
    const attempt = () => call(url, "POST", "/api/v1/nflow/builder/apps", { key: uma.key, body: { ...body, name: `app${lost.slice(0, 8)}` }, ...named(lost) });
    await control("nflow", { failNext: { status: 500, times: 1 } });
    expect((await attempt()).status).toBe(502);
    await forgetCalls("nflow");
    expect([(await attempt()).json.code, await callsTo("nflow")]).toEqual(["idempotency_conflict", []]);
  });

  it("the doors that give tokens ignore the header", async () => {
    const body = { username: "uma", password: demo.users.find((u) => u.username === "uma")?.password };
    const [a, b] = [await call(url, "POST", "/api/v1/chat/authenticate", { body, ...named("same name") }), await call(url, "POST", "/api/v1/chat/authenticate", { body, ...named("same name") })];
    expect([a.status, b.status, b.headers.get("idempotency-replayed")]).toEqual([200, 200, null]);
    expect(a.json.access_token).not.toBe(b.json.access_token);
  });
});

it("fifty equal calls at once to two processes make one key; the others hear of it or wait", async () => {
  const name = `named ${randomUUID()}`;
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => call(i % 2 ? doors.own : doors.next, "POST", "/api/v1/auth/api-keys", { bearer, body: { name, expiresIn: 3600 }, ...named(name.slice(6)) })));
  expect(await keysNamed(name)).toBe(1);
  expect(answers.filter((a) => a.status === 201 && !a.headers.has("idempotency-replayed"))).toHaveLength(1);
  for (const a of answers) expect([[201, undefined, null], [409, "conflict", "1"]]).toContainEqual([a.status, a.json.code, a.headers.get("retry-after")]);
});

it("a process killed in the middle of a prediction leaves its name to the next one, and credits are spent once", async () => {
  const replica = await startReplica();
  try {
    const before = await credits();
    const name = randomUUID();
    await forgetCalls("flowise");
    await control("flowise", { delayMs: 30_000 });
    const first = call(replica.url, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) }).catch(() => null);
    await expect.poll(async () => (await credits()).held, { timeout: 10_000 }).toBeGreaterThan(before.held);
    replica.signal("SIGKILL");
    expect(await first).toBeNull();
    await control("flowise", { reset: true });
    const early = await call(doors.own, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) });
    expect([early.status, early.json.code, early.headers.get("retry-after")]).toEqual([409, "conflict", "1"]);
    await sql.query(`UPDATE "IdempotencyRecord" SET "leaseUntil" = now() - interval '1 second' WHERE state = 'running'`);
    await sql.query(`UPDATE "CreditHold" SET "expiresAt" = now() - interval '1 second' WHERE state = 'held' AND "userId" = $1`, [userId]);
    const second = await call(doors.own, "POST", "/api/v1/chat/predict", { key: uma.key, body: question, ...named(name) });
    expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([200, null]);
    // The job that gives lost holds back runs every 30 s.
    await expect.poll(async () => credits(), { timeout: 45_000, interval: 500 }).toMatchObject({ credits: before.credits - second.json.credits_used, held: before.held });
  } finally {
    await replica.stop();
  }
}, 90_000);
