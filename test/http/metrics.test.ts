import { Redis } from "ioredis";
import { afterAll, afterEach, expect, it } from "vitest";
import { type Browser, call, callsTo, control, demo, doors, forgetCalls, keyOf, resetParts, revoke, signIn, tokenOf } from "./client";
import { startReplica } from "./replica";

const store = new Redis(demo.redisUrl);
afterEach(resetParts);
afterAll(() => store.disconnect());

const scrape = (url: string, token = demo.metricsToken) => call(url, "GET", "/api/metrics", { bearer: token });

/** The sum of all series of a metric whose labels are these. */
function sumOf(text: string, name: string, labels: Record<string, string> = {}): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`sluice_${name}{`) && Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

it("opens with the metrics token alone, and is closed where none is set or it can be guessed", async () => {
  expect((await scrape(doors.own)).headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const [url, token, code] of [[doors.own, "x".repeat(44), "invalid_credentials"], [doors.own, demo.adminToken, "invalid_credentials"], [doors.next, demo.adminToken, "invalid_credentials"]] as const) {
    expect((await scrape(url, token)).json.code).toBe(code);
  }
  expect((await call(doors.own, "GET", "/api/metrics")).json.code).toBe("missing_credentials");
  // The page process tells the door alone.
  expect((await call(doors.own, "GET", "/api/metrics", { headers: { "x-sluice-inner": "x".repeat(43) } })).status).toBe(401);
  for (const METRICS_TOKEN of ["", "short"]) {
    const closed = await startReplica({ METRICS_TOKEN });
    try {
      expect((await scrape(closed.url, METRICS_TOKEN || "x")).status).toBe(404);
    } finally {
      await closed.stop();
    }
  }
});

it("tells what both processes of the replica did: a sign-in is Next.js's, a key check the door's", async () => {
  const before = (await scrape(demo.url)).text;
  expect([sumOf(before, "process_up", { of: "door" }), sumOf(before, "process_up", { of: "pages" })]).toEqual([1, 1]);
  await signIn("vic");
  const { key, id } = await keyOf("uma");
  for (let i = 0; i < 5; i++) await call(demo.url, "GET", "/api/v1/auth/me", { key });
  await call(demo.url, "GET", "/api/v1/nflow/builder/apps/x", { key });
  await revoke("uma", id);
  await call(demo.url, "GET", "/api/v1/auth/me", { key });
  const after = (await scrape(demo.url)).text;
  const grown = (name: string, labels: Record<string, string>) => sumOf(after, name, labels) - sumOf(before, name, labels);
  expect(grown("redis_seconds_count", { process: "pages" })).toBeGreaterThanOrEqual(1);
  expect(grown("key_checks_total", { verdict: "admitted", process: "door" })).toBeGreaterThanOrEqual(5);
  expect(grown("key_checks_total", { verdict: "permission" })).toBeGreaterThanOrEqual(1);
  expect(grown("key_checks_total", { verdict: "revoked" })).toBe(1);
  expect(grown("http_requests_total", { door: "api", status: "2xx" })).toBeGreaterThanOrEqual(5);
  expect(after).toMatch(/^sluice_clock_offset_seconds\{process="(door|pages)"\} -?\d/m);
  expect(after).toMatch(/^process_cpu_seconds_total/m);
});

/** What the stack has counted more of since. */
async function counting(): Promise<(name: string, labels?: Record<string, string>) => Promise<number>> {
  const { text: before } = await scrape(demo.url);
  return async (name, labels) => sumOf((await scrape(demo.url)).text, name, labels) - sumOf(before, name, labels);
}

const search = (browser: Browser) => call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { cookie: browser.cookies(demo.url), headers: { origin: demo.url }, body: {} });

/** Somebody whose token is over, as we see it. */
async function expired(username: string): Promise<Browser> {
  await control("identity", { tokenExpiresIn: 0 });
  const browser = await signIn(username);
  await control("identity", { tokenExpiresIn: null });
  return browser;
}

async function signOut(browser: Browser): Promise<void> {
  const { csrfToken } = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
  await browser.go(`${demo.url}/api/auth/signout`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken }) });
}

it("counts sessions as they are made and ended, and tells how many live, by the key that seals them", async () => {
  const grown = await counting();
  const browser = await signIn("vic");
  await signIn("vic", browser);
  expect([await grown("session_created_total", { reason: "sign_in" }), await grown("session_ended_total", { reason: "signed_in_again" })]).toEqual([2, 1]);
  // The look through the store is kept for a while, and a busy one may have to be repeated.
  await expect.poll(async () => {
    await store.del("sl:metrics:sessions");
    const { text } = await scrape(demo.url);
    const records = await Promise.all((await store.keys("sl:s:{*}:m")).map((key) => store.hmget(key, "state", "kid")));
    const alive = records.filter(([state]) => state === "active");
    const bySeal = alive.filter(([, kid]) => kid === "s1");
    return [bySeal.length > 0, sumOf(text, "sessions") - alive.length, sumOf(text, "blobs_by_kid", { kid: "s1" }) - bySeal.length];
  }, { timeout: 10_000 }).toEqual([true, 0, 0]);
  await signOut(browser);
  expect([await grown("session_created_total", { reason: "sign_in" }), await grown("session_ended_total", { reason: "signed_out" }), await grown("session_ended_total", { reason: "signed_in_again" })]).toEqual([2, 1, 1]);
});

it("counts what Keycloak tells of sign-outs, and what others pretend that it does", async () => {
  const browser = await signIn("vic");
  await forgetCalls("nflow");
  await search(browser);
  const { sid } = tokenOf((await callsTo("nflow"))[0]!) as { sid: string };
  const grown = await counting();
  await control("identity", { deleteSession: { sid } });
  await expect.poll(() => grown("bcl_total", { result: "accepted" })).toBe(1);
  expect(await grown("session_ended_total", { reason: "backchannel" })).toBe(1);
  const forged = await call(demo.url, "POST", "/api/auth/backchannel-logout", { headers: { "content-type": "application/x-www-form-urlencoded" }, raw: "logout_token=forged" });
  expect([forged.status, await grown("bcl_total", { result: "invalid" }), await grown("bcl_total")]).toEqual([400, 1, 2]);
});

it("counts an engine's refusals, and what was given up for them", async () => {
  const browser = await signIn("uma");
  const grown = await counting();
  await control("nflow", { unauthorizedNext: 2 });
  expect((await search(browser)).json.code).toBe("upstream_unauthorised");
  expect([await grown("upstream_401_total", { upstream: "nflow" }), await grown("upstream_unauthorised_total", { upstream: "nflow", audience: "nflow" }), await grown("retry_total", { result: "unauthorised" })]).toEqual([2, 1, 1]);
});

it("tells that Keycloak is being spared, and that it no longer is", async () => {
  const open = async () => sumOf((await scrape(demo.url)).text, "breaker_open", { process: "door" });
  expect(await open()).toBe(0);
  const waiting = await expired("uma");
  await control("identity", { tokenStatus: 429, tokenRetryAfter: "3" });
  expect((await search(waiting)).json.code).toBe("identity_unavailable");
  expect(await open()).toBe(1);
  await control("identity", { reset: true });
  await expect.poll(async () => (await search(waiting)).status, { timeout: 20_000 }).toBe(200);
  expect(await open()).toBe(0);
});

it("counts a refreshed token that was not written, since its session ended meanwhile", async () => {
  const browser = await expired("vic");
  const before = browser.cookies(demo.url);
  const grown = await counting();
  await forgetCalls("identity");
  await control("identity", { tokenHoldMs: 3000, tokenGrants: ["refresh_token"], tokenTimes: 1 });
  const asked = call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { cookie: before, headers: { origin: demo.url }, body: {} });
  await expect.poll(async () => (await callsTo("identity")).some(({ body }) => body?.grant_type === "refresh_token" && body.client_id === "sluice-web")).toBe(true);
  await signOut(browser);
  expect((await asked).json.code).toBe("session_expired");
  expect(await grown("commit_refused_total")).toBe(1);
});

it("names nobody: no id, name, address or secret is in a label", async () => {
  const { key, id } = await keyOf("uma");
  await call(demo.url, "GET", "/api/v1/auth/me", { key });
  const { text } = await scrape(demo.url);
  for (const private_ of [key, id, "uma", "acme", demo.metricsToken, demo.adminToken, "127.0.0.1", "localhost"]) expect(text).not.toContain(private_);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|eyJ|@/);
  expect(text.length).toBeLessThan(150_000);
  await revoke("uma", id);
});
