import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, control, demo, keyOf, resetParts, revoke, tokenOf, tokensOf, callsTo, forgetCalls } from "../http/client";
import { anExpiredSession, answers, type Fleet, isReal, search, startFleet, store } from "./fleet";
import { refreshesSince, tokenCallsSince } from "./ledger";

let fleet: Fleet;

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet({ env: { LOG_LEVEL: "debug" } });
});
afterEach(resetParts);
afterAll(() => fleet.stop());

const scrape = async () => (await Promise.all(fleet.members.map(({ url }) => call(url, "GET", "/api/metrics", { bearer: demo.metricsToken })))).map(({ text }) => text);

/** Over all replicas, as `sum()` would. */
function sumOf(texts: string[], name: string, labels: Record<string, string> = {}): number {
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line.startsWith(`sluice_${name}{`) && Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

it("the replicas' metrics add up to what Keycloak's proxy saw: refreshes granted and refused, exchanges, retries", async () => {
  // After sign-outs of earlier tests the stack's worker tries grants, 20 s later at the latest: its refreshes are not the replicas'.
  await expect.poll(async () => (await store.keys("{jobs}:sluice:grants.try.*")).length, { timeout: 40_000, interval: 500 }).toBe(0);
  const before = await scrape();
  const from = Date.now();
  for (let i = 0; i < 3; i++) {
    const session = await anExpiredSession();
    const results = await Promise.all(Array.from({ length: 30 }, (_, n) => search(fleet.at(n), session)));
    expect([...new Set(answers(results))]).toEqual(["200"]);
  }
  // One that Keycloak refuses; of a disabled person it tells nobody.
  const lost = await anExpiredSession("vic");
  await control("identity", { disableUser: "vic" });
  await search(fleet.at(0), lost);
  // And an engine that refuses a good token: one forced refresh, one retry.
  const { key, id } = await keyOf("uma", { permissions: ["nflow:read"] });
  expect((await search(fleet.at(1), { key })).status).toBe(200);
  await control("nflow", { unauthorizedNext: 1 });
  await search(fleet.at(1), { key });
  const after = await scrape();
  const grown = (name: string, labels?: Record<string, string>) => sumOf(after, name, labels) - sumOf(before, name, labels);

  const seen = (await tokenCallsSince(from)).filter(({ body }) => body?.grant_type === "refresh_token");
  const web = await refreshesSince(from);
  expect(grown("refresh_total")).toBe(seen.length);
  expect(grown("refresh_total", { result: "ok" })).toBe(seen.filter(({ carriedOut }) => carriedOut === 200).length);
  expect(grown("refresh_total", { result: "invalid_grant", reason: "user_disabled" })).toBe(web.refused);
  expect(web.refused).toBe(1);
  expect([grown("refresh_total", { holder: "session" }), grown("refresh_total", { holder: "grant" })]).toEqual([web.sent, seen.length - web.sent]);
  // Nobody else signs in by password in between: what the stack's own door did is not in here.
  expect(grown("token_endpoint_seconds_count", { grant: "exchange" })).toBe((await tokenCallsSince(from)).filter(({ body }) => body?.grant_type?.includes("token-exchange")).length);
  expect(grown("upstream_401_total", { upstream: "nflow" })).toBe(1);
  expect(grown("retry_total", { result: "ok" })).toBe(1);
  expect(grown("refresh_joined_total")).toBeGreaterThan(0);
  expect(grown("vault_mint_total", { result: "ok" })).toBeGreaterThanOrEqual(1);
  await revoke("uma", id);
});

it(`an engine's two callers at once get a token for their own engine each, ${isReal ? "a thousand" : "three hundred"} times`, async () => {
  const session = await anExpiredSession();
  const me = (await call(demo.url, "GET", "/api/v1/auth/me", { cookie: session.cookie })).json.data as { id: string };
  const paid = await call(demo.url, "POST", `/api/admin/users/${me.id}/credits`, { bearer: (await tokensOf("ada")).access_token, body: { amount: 500, reason: "five hundred predictions" } });
  expect(paid.status).toBe(200);
  await forgetCalls("nflow");
  await forgetCalls("flowise");
  const predict = (i: number) => call(fleet.at(i).url, "POST", "/api/v1/chat/predict", { cookie: session.cookie, headers: { origin: demo.url }, body: { chatflow_id: flowIds.support, question: "q" } });
  const rounds = isReal ? 100 : 30;
  for (let round = 0; round < rounds; round++) {
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? search(fleet.at(i), session) : predict(i))));
    expect([...new Set(answers(results))]).toEqual(["200"]);
    // Another generation of tokens for the next round, fetched by all of them at once; a second one within 5 s would be refused.
    if (round === rounds / 2) await control("nflow", { unauthorizedNext: 1 });
  }
  const audiences = async (part: "nflow" | "flowise", path: RegExp) => [...new Set((await callsTo(part)).filter((one) => path.test(one.path)).map((one) => tokenOf(one).aud))];
  expect([await audiences("nflow", /./), await audiences("flowise", /prediction/)]).toEqual([["nflow"], ["flowise"]]);
});

it("nothing secret is in the logs at debug level, nor in the metrics", async () => {
  const session = await anExpiredSession();
  const { key, id } = await keyOf("uma", { permissions: ["read", "ai:predict"] });
  const pair = (await call(fleet.at(0).url, "POST", "/api/v1/auth/token", { key, body: {} })).json as { access_token: string; refresh_token: string };
  const next = (await call(fleet.at(1).url, "POST", "/api/v1/auth/token/refresh", { body: { refresh_token: pair.refresh_token } })).json as typeof pair;
  await control("nflow", { unauthorizedNext: 2 });
  // Refusals are told with their causes at this level, and those quote what libraries were given.
  for (const who of [session, { key }]) await search(fleet.at(2), who);
  for (const bearer of [pair.access_token, next.access_token, `${next.access_token.slice(0, -4)}AAAA`, `${key.slice(0, -2)}00`, next.refresh_token]) await call(fleet.at(0).url, "GET", "/api/v1/auth/me", { bearer });
  await call(fleet.at(0).url, "POST", "/api/v1/auth/token/refresh", { body: { refresh_token: pair.refresh_token } });
  const waiting = await anExpiredSession("gus");
  await control("identity", { tokenStatus: 503 });
  await search(fleet.at(1), waiting);
  const said = [fleet.members.map(({ log }) => log()).join("\n"), ...(await scrape())].join("\n");
  expect(said.length).toBeGreaterThan(10_000);
  const cookieValue = session.cookie.slice(session.cookie.indexOf("sluice.session=") + 15).split(";")[0] ?? "";
  const canaries = { key, access: pair.access_token, refresh: pair.refresh_token, second: next.refresh_token, cookieValue, metrics: demo.metricsToken, admin: demo.adminToken, password: demo.users[0]?.password ?? "" };
  for (const [what, canary] of Object.entries(canaries)) {
    expect(canary.length, what).toBeGreaterThan(8);
    expect(said.includes(canary), what).toBe(false);
  }
  expect(said.match(/eyJ[\w-]{20,}|\b(slk|srt)_[0-9A-Za-z]{43,}/g)).toBeNull();
  await control("identity", { reset: true });
  await revoke("uma", id);
});
