import { createHash } from "node:crypto";
import { decode } from "@auth/core/jwt";
import { Redis } from "ioredis";
import { afterAll, afterEach, describe, expect, inject, it } from "vitest";
import { signedToken } from "../../dev/leaks";
import { Browser, call, demo, doors, passwordOf, resetParts, revoke, signIn, toKeycloak, tokensOf } from "./client";

const env = inject("webEnv");
const redis = new Redis(env.REDIS_URL ?? "");
afterEach(resetParts);
afterAll(() => redis.disconnect());

const cookieOf = (browser: Browser) => browser.cookies(demo.url);
const same = { origin: demo.url, referer: `${demo.url}/admin/plans?q=x` };
const sessionIn = (cookies: string) => /(?:^|; )sluice\.session=([^;]+)/.exec(cookies)?.[1] ?? "";

async function sessionIdIn(cookies: string): Promise<string> {
  const payload = await decode({ token: sessionIn(cookies), secret: env.AUTH_SECRET ?? "", salt: "sluice.session" });
  return createHash("sha256").update(String(payload?.h)).digest("base64url");
}

/** As if the person had signed in an hour ago. */
async function age(cookies: string): Promise<void> {
  const id = await sessionIdIn(cookies);
  // Other tests signed people out within that hour, and such a mark would end a session that pretends to be older.
  const marks = await redis.keys("sl:kill:sub:*");
  if (marks.length > 0) await redis.del(...marks);
  expect(await redis.hincrby(`sl:s:{${id}}:m`, "auth_time", -3600)).toBeGreaterThan(0);
}

/** A `Cookie` header after an answer set some of its cookies anew. */
function merged(cookies: string, lines: string[]): string {
  const pairs = [...cookies.split("; "), ...lines.map((line) => line.split(";")[0] ?? "")];
  return [...new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair])).values()].join("; ");
}

const makeTenant = (cookie: string) => call(demo.url, "POST", "/api/admin/tenants", { cookie, headers: same, body: { slug: `stepup-${Date.now()}`, name: "Step up" } });

describe("what an administrator changes", () => {
  it("wants a sign-in of the last minutes, in the browser; looking does not, nor do tokens", async () => {
    const cookie = cookieOf(await signIn("ada"));
    expect((await makeTenant(cookie)).status).toBe(201);
    await age(cookie);
    const refused = await makeTenant(cookie);
    expect([refused.status, refused.json.code]).toEqual([403, "step_up_required"]);
    expect(refused.json.confirmUrl).toBe(`${demo.url}/api/auth/confirm?returnTo=${encodeURIComponent("/admin/plans?q=x")}`);
    expect((await call(demo.url, "GET", "/api/admin/tenants", { cookie })).status).toBe(200);
    const { access_token } = await tokensOf("ada");
    expect((await call(doors.own, "POST", "/api/admin/tenants", { bearer: access_token, body: { slug: `stepup-${Date.now()}`, name: "By token" } })).status).toBe(201);
  });

  it("taking machine access back wants it too, of anybody; one's own keys do not", async () => {
    const cookie = cookieOf(await signIn("gus"));
    await age(cookie);
    expect((await call(demo.url, "DELETE", "/api/v1/grant", { cookie, headers: same })).json.code).toBe("step_up_required");
    expect((await call(demo.url, "GET", "/api/v1/grant", { cookie })).status).toBe(200);
    const made = await call(demo.url, "POST", "/api/v1/auth/api-keys", { cookie, headers: same, body: { name: `step-up ${Date.now()}` } });
    expect(made.status).toBe(201);
    await revoke("gus", made.json.data.id);
  });

  it("is not to be had by way of a key or token that outlives the proof: what administers is given, widened and handed out to a fresh session only", async () => {
    const cookie = cookieOf(await signIn("ada"));
    const ask = (method: string, path: string, body: object) => call(demo.url, method, path, { cookie, headers: same, body });
    const keys = "/api/v1/auth/api-keys";
    const made = await Promise.all([{ permissions: ["admin:tenants"] }, { permissions: ["*"], name: "off" }, {}].map(async (more) => (await ask("POST", keys, { name: `step-up ${Date.now()}`, ...more })).json.data.id as string));
    const [tenants, off, plain] = made as [string, string, string];
    expect((await ask("PATCH", `${keys}/${off}`, { isActive: false })).status).toBe(200);
    await age(cookie);
    const refused: [string, string, object][] = [
      ["POST", keys, { name: "all", permissions: ["*"] }], ["POST", keys, { name: "family", permissions: ["admin:*", "ai:predict"] }], ["PATCH", `${keys}/${plain}`, { permissions: ["admin:users"] }],
      ["PATCH", `${keys}/${off}`, { isActive: true }], ["POST", `${keys}/${tenants}/rotate`, { overlapSeconds: 0 }], ["POST", "/api/v1/auth/token", {}], ["POST", "/api/v1/auth/token", { permissions: ["admin:keys"] }],
    ];
    for (const [method, path, body] of refused) {
      const answer = await ask(method, path, body);
      expect([answer.status, answer.json.code], `${method} ${path} ${JSON.stringify(body)}`).toEqual([403, "step_up_required"]);
    }
    expect((await ask("POST", "/api/v1/auth/token", { permissions: ["ai:predict"] })).status).toBe(200);
    expect((await ask("PATCH", `${keys}/${tenants}`, { name: "renamed", permissions: ["ai:predict"] })).status).toBe(200);
    expect((await ask("POST", `${keys}/${plain}/rotate`, { overlapSeconds: 0 })).status).toBe(201);
    for (const id of made) await revoke("ada", id);
  });

  it("goes through once it is confirmed at Keycloak, which leads back; the session has a new cookie, and the old one is worth nothing", async () => {
    const browser = await signIn("ada");
    const old = cookieOf(browser);
    await age(old);
    const back = await browser.go((await makeTenant(old)).json.confirmUrl);
    expect(back.url).toBe(`${demo.url}/admin/plans?q=x&confirm=done`);
    expect(sessionIn(cookieOf(browser))).not.toBe(sessionIn(old));
    expect((await makeTenant(cookieOf(browser))).status).toBe(201);
    const spent = await call(demo.url, "GET", "/api/v1/auth/me", { cookie: old });
    expect([spent.status, spent.json.code]).toEqual([401, "session_expired"]);
  });

  it("is not confirmed by somebody else, who gets a session of their own and is told", async () => {
    const ada = cookieOf(await signIn("ada"));
    await age(ada);
    const sent = await fetch((await makeTenant(ada)).json.confirmUrl, { redirect: "manual", headers: { cookie: ada } });
    const jar = merged(ada, sent.headers.getSetCookie());
    const vic = new Browser(`${demo.url}/api/auth/callback`);
    const callback = await vic.submit(await vic.go(sent.headers.get("location") ?? ""), { username: "vic", password: passwordOf("vic") });
    const answer = await fetch(callback.url, { redirect: "manual", headers: { cookie: jar } });
    expect(answer.headers.get("location")).toBe(`${demo.url}/admin/plans?q=x&confirm=other`);
    const theirs = answer.headers.getSetCookie().map((line) => line.split(";")[0]).find((pair) => pair?.startsWith("sluice.session="));
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { cookie: theirs ?? "" })).json.data.email).toBe("vic@acme.test");
    expect((await makeTenant(theirs ?? "")).json.code).toBe("insufficient_permission");
  });

  it("a stranger who asks to confirm is sent to sign in, and is led nowhere else than to us", async () => {
    const answer = await call(demo.url, "GET", `/api/auth/confirm?returnTo=${encodeURIComponent("https://evil.test/")}`);
    expect(answer.headers.get("location")).toBe(`${demo.url}/sign-in?returnTo=%2Foverview`);
  });
});

describe("the session's cookie", () => {
  it("is small, for no script, for our own site, for the whole path and no other host; nothing that the browser is sent holds a token", async () => {
    const browser = new Browser(`${demo.url}/api/auth/callback`);
    const { csrfToken } = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
    const page = await browser.go(`${demo.url}/api/auth/signin/keycloak`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken, callbackUrl: `${demo.url}/overview` }) });
    const callback = await browser.submit(page, { username: "uma", password: passwordOf("uma") });
    const answer = await fetch(callback.url, { redirect: "manual", headers: { cookie: cookieOf(browser) } });
    const lines = answer.headers.getSetCookie();
    const line = lines.find((one) => /^sluice\.session=[^;]{20}/.test(one)) ?? "";
    expect(line.length).toBeLessThan(1024);
    expect(line).toMatch(/; *HttpOnly/i);
    expect(line).toMatch(/; *SameSite=Lax/i);
    expect(line).toMatch(/; *Path=\/(;|$)/i);
    expect(line).not.toMatch(/; *Domain=/i);
    const cookie = line.split(";")[0] ?? "";
    const shown = async (path: string, rsc: boolean) => (await fetch(demo.url + path, { headers: { cookie, ...(rsc && { rsc: "1" }) } })).text();
    const bodies = [await answer.text()];
    for (const path of ["/overview", "/keys", "/sessions", "/machine-access"]) bodies.push(await shown(path, false), await shown(path, true));
    expect(bodies.filter((text) => text.includes("Uma Usher")).length).toBeGreaterThan(0);
    // An access, refresh or ID token is a signed JWT: three parts. Cookies of the sign-in are encrypted: five.
    for (const text of [...lines, ...bodies]) expect(text).not.toMatch(signedToken);
  });
});

describe("a browser that was signed out from another device", () => {
  /** As that sign-out leaves it: sign-ins of this Keycloak session up to a second do not count. */
  async function signedOut(upTo: () => number): Promise<Browser> {
    const browser = await signIn("vic");
    const kcSid = (await redis.hget(`sl:s:{${await sessionIdIn(cookieOf(browser))}}:m`, "kc_sid")) ?? "";
    expect(kcSid).not.toBe("");
    await expect.poll(() => Date.now() % 1000, { interval: 10, timeout: 10_000 }).toBeLessThan(200);
    await redis.set(`sl:kill:sid:${kcSid}`, upTo(), "EX", 60);
    return browser;
  }
  const second = () => Math.floor(Date.now() / 1000);

  it("is asked for the password once and is in, be it within the second of the sign-out", async () => {
    const browser = await signedOut(second);
    const page = await toKeycloak(browser);
    expect(page.text).toContain('name="password"');
    const inside = await browser.submit(page, { username: "vic", password: passwordOf("vic") });
    expect(inside.url).toBe(`${demo.url}/overview`);
    expect((await call(demo.url, "GET", "/api/v1/auth/me", { cookie: cookieOf(browser) })).json.data).toMatchObject({ email: "vic@acme.test" });
  });

  it("that is signed out again meanwhile hears that its session has ended, and may begin anew", async () => {
    const browser = await signedOut(() => second() + 30);
    const page = await toKeycloak(browser);
    const outside = await browser.submit(page, { username: "vic", password: passwordOf("vic") });
    expect(outside.url).toBe(`${demo.url}/sign-in?error=session_expired&returnTo=%2Foverview`);
    expect(outside.text).toContain("Your session has ended");
  });
});

describe("a change with the session's cookie", () => {
  it.each([
    ["another site's form", { origin: "https://evil.test", "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site" }],
    ["another origin's script", { origin: "https://evil.test", "sec-fetch-site": "cross-site" }],
    ["a sandboxed frame", { origin: "null" }],
    ["nobody who says where from", {}],
    ["a sibling host", { origin: demo.url.replace("://", "://sub."), "sec-fetch-site": "same-site" }],
    ["another port", { origin: demo.url.replace(/:\d+$/, ":1"), "sec-fetch-site": "same-site" }],
  ])("from %s is refused, and changes nothing", async (_from, headers: Record<string, string>) => {
    const cookie = cookieOf(await signIn("uma"));
    const name = `csrf ${Date.now()}`;
    const answer = await call(demo.url, "POST", "/api/v1/auth/api-keys", { cookie, headers: { "content-type": "application/json", ...headers }, raw: JSON.stringify({ name }) });
    expect([answer.status, answer.json.code]).toEqual([403, "cross_origin"]);
    expect((await call(demo.url, "GET", "/api/v1/auth/api-keys?limit=100", { cookie })).text).not.toContain(name);
  });

  it("from our own pages is carried out", async () => {
    const cookie = cookieOf(await signIn("uma"));
    const answer = await call(demo.url, "POST", "/api/v1/auth/api-keys", { cookie, headers: same, body: { name: `own ${Date.now()}` } });
    expect(answer.status).toBe(201);
    await revoke("uma", answer.json.data.id);
  });
});
