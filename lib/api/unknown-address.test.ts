import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson, contextOf } from "@/dev/testing/people";
import { takeTurns } from "@/dev/testing/usage";
import { createKey, revokeKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { clientAddressHeader, innerSecretHeader } from "@/lib/platform/client-address";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { redis } from "@/lib/platform/redis";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { flushCalls, foldUsage, usageStream } from "@/lib/usage";
import { createApi } from "./app";

takeTurns();

const api = createApi();

async function aKey(input: object = {}) {
  const person = await aPerson();
  const { key, secret } = await createKey(contextOf(person), CreateKeyInput.parse({ name: "k", ...input }));
  return { ...key, person, secret };
}

/** Calls and returns the status, with what the request log then has of the call. */
async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const requestId = randomUUID();
  const answer = await api.request(path, { method, headers: { ...headers, "x-request-id": requestId } });
  await flushCalls();
  const told = (await redis().xrange(usageStream, "-", "+")).flat(2).filter((text) => text.includes(requestId)).join();
  await foldUsage();
  const rows = await db().requestLog.findMany({ where: { requestId }, select: { method: true, route: true, status: true, code: true, apiKeyId: true, userId: true, portal: true } });
  return { status: answer.status, headers: answer.headers, rows, told };
}

describe("an address that answers nothing", () => {
  const base = env();
  afterEach(() => setEnv(base));

  it("is in the log of the key that called it, without its path, and counts as a request and an error", async () => {
    const { id, secret, person } = await aKey();
    const { status, rows, told, headers } = await ask("GET", "/api/v1/chatflow/secret-thing?token=hidden", { "x-api-key": secret });
    expect([status, rows]).toEqual([404, [{ method: "GET", route: "unknown", status: 404, code: "not_found", apiKeyId: id, userId: person.userId, portal: false }]]);
    expect(told).not.toMatch(/secret-thing|hidden/);
    expect(Number(headers.get("x-ratelimit-remaining"))).toBe(999);
    const hours = await db().usageRollup.aggregate({ where: { apiKeyId: id }, _sum: { requests: true, refused: true, answered: true, errors: true } });
    expect(hours._sum).toEqual({ requests: 1n, refused: 0n, answered: 1n, errors: 1n });
  });

  it("is logged by its pattern when only the method is wrong", async () => {
    const { id, secret } = await aKey();
    const { status, rows, headers } = await ask("PUT", `/api/v1/auth/api-keys/${id}`, { authorization: `Bearer ${secret}` });
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD, PATCH, DELETE"]);
    expect(rows).toMatchObject([{ method: "PUT", route: "/api/v1/auth/api-keys/:id", status: 405, code: "method_not_allowed", apiKeyId: id }]);
    expect((await ask("PUT", "/api/v1/auth/api-keys/verify", { "x-api-key": secret })).rows).toMatchObject([{ route: "/api/v1/auth/api-keys/verify" }]);
    expect((await ask("UNSUBSCRIBE", "/api/v1/auth/me", { "x-api-key": secret })).rows).toMatchObject([{ method: "UNSUBSCRIB", status: 405 }]);
  });

  it("leaves strangers out of the log", async () => {
    for (const headers of [{}, { cookie: "other=1" }, { "x-api-key": "nonsense" }] as Record<string, string>[]) expect((await ask("GET", "/api/nothing", headers)).rows).toEqual([]);
    expect((await ask("GET", "/api/nothing")).status).toBe(404);
  });

  it("refuses a key that holds no more, and tells its owner", async () => {
    const { id, secret, person } = await aKey();
    await revokeKey(contextOf(person), id, { cascade: false });
    const { status, rows } = await ask("GET", "/api/nothing", { "x-api-key": secret });
    expect([status, rows.map(({ code, route }) => [code, route])]).toEqual([401, [["key_revoked", "unknown"]]]);
  });

  it("takes from the key's limit, so that a loop cannot fill the log", async () => {
    const { secret } = await aKey({ rateLimit: { requests: 2, window: 60 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask("GET", "/api/nothing", { "x-api-key": secret })).status);
    expect(statuses).toEqual([404, 404, 429]);
  });

  it("counts a bad key as a failed attempt", async () => {
    setEnv({ ...base, SLUICE_INNER_SECRET: "s".repeat(43), AUTH_FAILURE_LIMIT: { requests: 2, window: 60 } });
    const from = { [innerSecretHeader]: "s".repeat(43), [clientAddressHeader]: `2001:db8:${randomUUID().slice(0, 4)}:${randomUUID().slice(0, 4)}::1` };
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask("GET", "/api/nothing", { ...from, authorization: `Bearer eyJ.${i}.x` })).status);
    expect(statuses).toEqual([401, 401, 429]);
    // Without any credential there is nothing to guess.
    expect((await ask("GET", "/api/nothing", from)).status).toBe(404);
  });
});

describe("with a session", () => {
  let realm: Realm;
  beforeAll(async () => void (realm = await aRealm()));
  afterAll(() => realm.close());

  it("is in the person's log as the portal's call, but not when another site sent the browser there", async () => {
    const { cookie, meta } = await aSignIn(await realm.tokensFor("ada"));
    expect((await ask("GET", "/api/nothing", { cookie })).rows).toMatchObject([{ route: "unknown", status: 404, apiKeyId: null, userId: meta.uid, portal: true }]);
    const own = await ask("POST", "/api/nothing", { cookie, origin: new URL(env().AUTH_URL).origin });
    expect([own.status, own.rows.length]).toEqual([404, 1]);
    const foreign = await ask("POST", "/api/nothing", { cookie, origin: "https://evil.test" });
    expect([foreign.status, foreign.rows]).toEqual([404, []]);
  });
});
