import { Redis } from "ioredis";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { tokenPartsIn } from "../../dev/leaks";
import { keycloakTokens } from "./keycloak-token";
import { startReplica } from "./replica";
import { type Browser, call, callsTo, control, demo, forgetCalls, keyOf, resetParts, revoke, signIn, toKeycloak, tokenOf } from "./client";

afterEach(resetParts);
afterAll(resetParts);

const cookieOf = (browser: Browser) => browser.cookies(demo.url);
const same = { origin: demo.url };
const search = (base: string, cookie: string) => call(base, "POST", "/api/v1/nflow/builder/apps/search", { cookie, headers: same, body: {} });

describe("sessions", () => {
  it("signing in gives a small cookie without a token, and the session is the person", async () => {
    const browser = await signIn("uma");
    const cookie = cookieOf(browser);
    expect(cookie).toContain("sluice.session=");
    expect(cookie.length).toBeLessThan(4096);
    const me = await call(demo.url, "GET", "/api/v1/auth/me", { cookie });
    expect(me.json.data).toMatchObject({ actor: "user", email: "uma@acme.test", role: "user" });
    const session = await call(demo.url, "GET", "/api/auth/session", { cookie });
    expect(tokenPartsIn(session.text)).toEqual([]);
    expect(session.text).not.toMatch(/access_token|refresh_token|"h"|"k"/);
  });

  it("a session's call reaches NFlow as the person, through the web client, narrowed to NFlow", async () => {
    const browser = await signIn("uma");
    await forgetCalls("nflow");
    expect((await search(demo.url, cookieOf(browser))).status).toBe(200);
    const [made] = await callsTo("nflow");
    const me = (await call(demo.url, "GET", "/api/v1/auth/me", { cookie: cookieOf(browser) })).json.data;
    expect(tokenOf(made!)).toMatchObject({ sub: me.memberId, azp: "sluice-web", aud: "nflow" });
    expect(made!.headers.cookie).toBeUndefined();
    expect(made!.headers["x-api-key"]).toBeUndefined();
  });

  it("unsafe methods with the cookie need our own Origin; a header credential wins over the cookie", async () => {
    const cookie = cookieOf(await signIn("uma"));
    for (const headers of [{}, { origin: "https://evil.test" }, { origin: "null" }] as Record<string, string>[]) {
      const answer = await call(demo.url, "POST", "/api/v1/auth/api-keys", { cookie, headers, body: { name: "csrf" } });
      expect([answer.status, answer.json.code]).toEqual([403, "cross_origin"]);
    }
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { cookie, key: "slk_wrong" })).json.code).toBe("invalid_credentials");
  });

  it("signing out ends the session here and at Keycloak", async () => {
    const browser = await signIn("uma");
    expect((await toKeycloak(browser)).url).toBe(`${demo.url}/overview`);
    const before = cookieOf(browser);
    const csrf = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
    await browser.go(`${demo.url}/api/auth/signout`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken: csrf.csrfToken }) });
    const answer = await call(demo.url, "GET", "/api/v1/auth/me", { cookie: before });
    expect([answer.status, answer.json.code]).toEqual([401, "session_expired"]);
    // Where Keycloak still knew the browser, it would send it back without a word.
    expect((await toKeycloak(browser)).text).toMatch(/name="password"/);
  });
});

describe("a token of Keycloak's own", () => {
  it("of our client is accepted as the person, reaches an engine narrowed, and teaches nothing new", async () => {
    const token = (await keycloakTokens("uma", "web")).access_token;
    const me = await call(demo.url, "GET", "/api/v1/auth/me", { bearer: token });
    expect(me.json.data).toMatchObject({ actor: "user", email: "uma@acme.test", role: "user" });
    await forgetCalls("nflow");
    expect((await call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { bearer: token, body: {} })).status).toBe(200);
    expect(tokenOf((await callsTo("nflow"))[0]!)).toMatchObject({ sub: me.json.data.memberId, aud: "nflow" });
  });

  it("of another client, for an engine, or with a changed letter is not", async () => {
    const direct = (await keycloakTokens("uma", "direct")).access_token;
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { bearer: direct })).json.code).toBe("invalid_credentials");
    await forgetCalls("nflow");
    await search(demo.url, cookieOf(await signIn("uma")));
    const narrowed = (await callsTo("nflow"))[0]!.headers.authorization!.slice(7);
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { bearer: narrowed })).json.code).toBe("invalid_credentials");
    const token = (await keycloakTokens("uma", "web")).access_token;
    const at = token.lastIndexOf(".") + 10;
    const forged = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { bearer: forged })).json.code).toBe("invalid_credentials");
  });
});

/** Since the last `forgetCalls`. Meanwhile the worker may be trying somebody's machine access after a sign-out: that is another client's. */
const refreshesOfSessions = async () => (await callsTo("identity")).filter(({ body }) => body.grant_type === "refresh_token" && body.client_id === "sluice-web").length;

describe("one refresh for all who wait", () => {
  it("fifty calls over two processes with an expired token make one refresh, and none fails", async () => {
    const replica = await startReplica();
    try {
      await control("identity", { accessTokenTtl: 1 });
      const cookie = cookieOf(await signIn("uma"));
      await control("identity", { accessTokenTtl: 300 });
      await forgetCalls("identity");
      // The session's token lives one second, and a third of that is the margin: ask once it is over.
      await untilExpired();
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => search(i % 2 ? demo.url : replica.url, cookie)));
      expect(answers.map((a) => a.status)).toEqual(Array(50).fill(200));
      expect(await refreshesOfSessions()).toBe(1);
    } finally {
      await replica.stop();
    }
  });

  it("an engine's 401 makes one forced refresh and one retry; a second 401 is told", async () => {
    const cookie = cookieOf(await signIn("uma"));
    await search(demo.url, cookie);
    await forgetCalls("nflow");
    await forgetCalls("identity");
    await control("nflow", { unauthorizedNext: 1 });
    expect((await search(demo.url, cookie)).status).toBe(200);
    expect(await callsTo("nflow")).toHaveLength(2);
    expect(await refreshesOfSessions()).toBe(1);
    await control("nflow", { unauthorizedNext: 5 });
    const told = await search(demo.url, cookie);
    expect([told.status, told.json.code]).toEqual([502, "upstream_unauthorised"]);
  });

  it("Keycloak away: the session is kept, the answer is 503, and afterwards all works without signing in", async () => {
    await control("identity", { accessTokenTtl: 1 });
    const cookie = cookieOf(await signIn("uma"));
    await control("identity", { accessTokenTtl: 300, tokenStatus: 503 });
    await untilExpired();
    const away = await search(demo.url, cookie);
    expect([away.status, away.json.code]).toEqual([503, "identity_unavailable"]);
    expect(Number(away.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    await control("identity", { reset: true });
    await expect.poll(async () => (await search(demo.url, cookie)).status, { timeout: 20_000 }).toBe(200);
  });
});

describe("keys act for their owner", () => {
  it("a key's call reaches the engines as its owner, through a machine client, narrowed", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["write"] });
    await forgetCalls("nflow");
    expect((await call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} })).status).toBe(200);
    const me = (await call(demo.url, "GET", "/api/v1/auth/me", { key })).json.data;
    const [made] = await callsTo("nflow");
    expect(tokenOf(made!)).toMatchObject({ sub: me.memberId, aud: "nflow" });
    expect(["sluice-machine", "sluice-direct"]).toContain(tokenOf(made!).azp);
    expect(JSON.stringify(made!.headers)).not.toContain(key);
    await revoke("uma", id);
  });

  it("a disabled owner's key is told so, and works again once they are enabled", async () => {
    const { key, id } = await keyOf("dis", { permissions: ["nflow:read"] });
    const run = () => call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} });
    expect((await run()).status).toBe(200);
    await control("identity", { disableUser: "dis" });
    await control("nflow", { unauthorizedNext: 1 });
    const refused = await run();
    expect([refused.status, refused.json.code]).toEqual([403, "owner_disabled"]);
    await control("identity", { enableUser: "dis" });
    await expect.poll(async () => (await run()).status, { timeout: 20_000 }).toBe(200);
    await revoke("dis", id);
  });

  it("a role change at Keycloak reaches every key with the owner's next refresh, down and up again", async () => {
    const [one, other] = [await keyOf("dis", { permissions: ["nflow:read", "api-keys:create"] }), await keyOf("dis", { permissions: ["nflow:write", "nflow:read"] })];
    const run = () => call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key: one.key, body: {} });
    const held = async () => Promise.all([one, other].map(async ({ key }) => (await call(demo.url, "GET", "/api/v1/auth/me", { key })).json.data.permissions));
    expect((await run()).status).toBe(200);
    for (const [roles, expected] of [[["viewer"], [["nflow:read"], ["nflow:read"]]], [["user"], [["api-keys:create", "nflow:read"], ["nflow:read", "nflow:write"]]]] as const) {
      await control("identity", { setRoles: { dis: [...roles] } });
      // One refresh of the owner's grant in 5 s may be forced.
      await expect.poll(async () => {
        await control("nflow", { unauthorizedNext: 1 });
        await run();
        return held();
      }, { timeout: 20_000, interval: 500 }).toEqual(expected);
    }
    await revoke("dis", one.id);
    await revoke("dis", other.id);
  });

  it("machine access that was withdrawn at Keycloak is 403 with the way back, never a fall-back to somebody else", async () => {
    const { key, id } = await keyOf("dis", { permissions: ["nflow:read"] });
    const run = () => call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} });
    await run();
    await control("identity", { revokeGrant: "dis" });
    await control("nflow", { unauthorizedNext: 1 });
    const refused = await run();
    expect([refused.status, refused.json.code]).toEqual([403, "owner_reauth_required"]);
    expect(refused.json.grantUrl).toContain(demo.url);
    await forgetCalls("nflow");
    expect((await run()).json.code).toBe("owner_reauth_required");
    expect(await callsTo("nflow")).toHaveLength(0);
    await revoke("dis", id);
  });
});

it("after all of it Redis holds no token and no secret in clear", async () => {
  const { key, id } = await keyOf("uma", { permissions: ["write"] });
  await call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} });
  const cookie = cookieOf(await signIn("uma"));
  await search(demo.url, cookie);
  const redis = new Redis(demo.redisUrl);
  try {
    const keys = await redis.keys("*");
    expect(keys.length).toBeGreaterThan(5);
    const dump = (await Promise.all(keys.map(async (name) => `${name} ${await everything(redis, name)}`))).join("\n");
    expect(tokenPartsIn(dump)).toEqual([]);
    expect(dump).not.toContain(key);
    expect(dump).not.toContain(demo.users[0]!.password);
    for (const value of cookie.split("; ").map((pair) => pair.slice(pair.indexOf("=") + 1)).filter((v) => v.length > 20)) expect(dump).not.toContain(value);
  } finally {
    redis.disconnect();
  }
  await revoke("uma", id);
});

/** A token of one second was issued just now: waits until its end. */
async function untilExpired(): Promise<void> {
  const end = Date.now() + 1100;
  await expect.poll(() => Date.now(), { timeout: 5000 }).toBeGreaterThan(end);
}

async function everything(redis: Redis, name: string): Promise<string> {
  const type = await redis.type(name);
  if (type === "string") return (await redis.getBuffer(name))?.toString("latin1") ?? "";
  if (type === "hash") return JSON.stringify(await redis.hgetall(name));
  if (type === "set") return JSON.stringify(await redis.smembers(name));
  if (type === "zset") return JSON.stringify(await redis.zrange(name, "0", "-1"));
  if (type === "list") return JSON.stringify(await redis.lrange(name, 0, -1));
  if (type === "stream") return JSON.stringify(await redis.xrange(name, "-", "+"));
  return "";
}
