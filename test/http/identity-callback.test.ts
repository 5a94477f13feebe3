import { Redis } from "ioredis";
import { afterAll, expect, it } from "vitest";
import { Browser, call, control, demo, passwordOf, resetParts, signIn, toKeycloak } from "./client";

const callback = `${demo.url}/api/auth/callback/keycloak`;
/** Each attempt's cookie: its state, nonce and PKCE verifier. */
const attemptsOf = (browser: Browser) => browser.cookies(demo.url).split("; ").map((pair) => pair.split("=")[0] ?? "").filter((name) => name.startsWith("sluice.attempt."));
const attemptOf = (browser: Browser) => attemptsOf(browser)[0] ?? "";
const store = new Redis(demo.redisUrl);
afterAll(resetParts);
afterAll(() => store.disconnect());

/** A real sign-in up to Keycloak's answer, which is not followed: a code that is good, for this browser. */
async function upToTheCallback(username = "uma"): Promise<{ browser: Browser; url: URL }> {
  const browser = new Browser(callback);
  const url = new URL((await browser.submit(await toKeycloak(browser), { username, password: passwordOf(username) })).url);
  expect(attemptsOf(browser)).toHaveLength(1);
  expect(browser.cookies(demo.url)).not.toMatch(/authjs\.(state|nonce|pkce)/);
  expect(Object.fromEntries(url.searchParams)).toMatchObject({ code: expect.any(String), state: expect.any(String), iss: demo.issuer });
  return { browser, url };
}

/** Which records of sessions going there made. */
async function madeBy(browser: Browser, url: URL | string): Promise<string[]> {
  const before = new Set(await store.keys("sl:s:{*}:m"));
  await browser.go(String(url));
  return (await store.keys("sl:s:{*}:m")).filter((name) => !before.has(name));
}

const isSignedIn = async (browser: Browser) => (await call(demo.url, "GET", "/api/v1/auth/me", { cookie: browser.cookies(demo.url) })).status === 200;

it("a callback as Keycloak sends it makes one session; replayed, by the same browser or with the cookies of before, none", async () => {
  const { browser, url } = await upToTheCallback();
  const kept = attemptsOf(browser).map((name) => [name, browser.cookie(demo.url, name)] as const);
  expect(await madeBy(browser, url)).toHaveLength(1);
  expect(await isSignedIn(browser)).toBe(true);
  for (const [name] of kept) expect(browser.cookie(demo.url, name), name).toBeUndefined();
  expect(browser.cookies(demo.url)).not.toMatch(/authjs\.(state|nonce|pkce)/);
  expect(await madeBy(browser, url)).toEqual([]);
  const thief = new Browser();
  for (const [name, value] of kept) thief.tamper(demo.url, name, value);
  expect(await madeBy(thief, url)).toEqual([]);
  expect(await isSignedIn(thief)).toBe(false);
});

it("a good code in a browser that began a sign-in of its own signs nobody in: neither is anybody slipped into another's session", async () => {
  const [attacker, victim] = [await upToTheCallback("vic"), await upToTheCallback()];
  expect(await madeBy(victim.browser, attacker.url)).toEqual([]);
  expect(await isSignedIn(victim.browser)).toBe(false);
});

/** Each spoils one thing alone, so that one check alone can notice. */
it.each<[what: string, spoil: (mine: { browser: Browser; url: URL }, others: Browser) => void]>([
  ["another browser's attempt", ({ browser }, others) => { browser.tamper(demo.url, attemptOf(browser), undefined); browser.tamper(demo.url, attemptOf(others), others.cookie(demo.url, attemptOf(others))); }],
  ["a state that was changed on the way", ({ url }) => url.searchParams.set("state", `${url.searchParams.get("state") ?? ""}A`)],
  ["no state", ({ url }) => url.searchParams.delete("state")],
  ["the nonce and verifier of another sign-in under its own name", ({ browser }, others) => browser.tamper(demo.url, attemptOf(browser), others.cookie(demo.url, attemptOf(others)))],
  ["no nonce and verifier to compare with", ({ browser }) => browser.tamper(demo.url, attemptOf(browser), undefined)],
  ["a foreign issuer", ({ url }) => url.searchParams.set("iss", "https://evil.test/realms/sluice")],
  ["no issuer, though Keycloak always names itself", ({ url }) => url.searchParams.delete("iss")],
  ["a code of nobody's", ({ url }) => url.searchParams.set("code", "abc")],
])("a callback with %s makes no session", async (_, spoil) => {
  const [mine, others] = [await upToTheCallback(), await upToTheCallback("vic")];
  spoil(mine, others.browser);
  expect(await madeBy(mine.browser, mine.url)).toEqual([]);
  expect(await isSignedIn(mine.browser)).toBe(false);
});

it("a browser that began nothing makes no session, whatever it brings", async () => {
  for (const query of ["code=abc&state=forged", "code=abc", "error=access_denied"]) expect(await madeBy(new Browser(), `${callback}?${query}`), query).toEqual([]);
  const { url } = await upToTheCallback();
  expect(await madeBy(new Browser(), url)).toEqual([]);
});

it("somebody signed in stays so through a callback that is refused", async () => {
  const browser = await signIn("uma");
  expect(await madeBy(browser, `${callback}?code=abc&state=forged`)).toEqual([]);
  expect(await isSignedIn(browser)).toBe(true);
});

/** Begins a sign-in that wants this page. @returns Keycloak's address, to which the browser does not go yet. */
async function beginFor(browser: Browser, page: string): Promise<string> {
  const { csrfToken } = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
  return (await browser.go(`${demo.url}/api/auth/signin/keycloak`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken, callbackUrl: demo.url + page }) })).url;
}

/** Keycloak's cookies belong to one tab's address each, and the jar knows no paths: so every tab has a jar of its own there. */
async function throughKeycloak(address: string): Promise<string> {
  const tab = new Browser(callback);
  return (await tab.submit(await tab.go(address), { username: "uma", password: passwordOf("uma") })).url;
}

it("three tabs that begin to sign in before any of them ends all reach the page that each wanted", async () => {
  const browser = new Browser(demo.issuer);
  const pages = ["/keys", "/usage", "/sessions"];
  const tabs: string[] = [];
  for (const page of pages) tabs.push(await beginFor(browser, page));
  expect(attemptsOf(browser)).toHaveLength(3);
  const ends: string[] = [];
  for (const tab of tabs) ends.push(new URL((await browser.go(await throughKeycloak(tab))).url).pathname);
  expect(ends).toEqual(pages);
  expect(attemptsOf(browser)).toEqual([]);
});

it("a browser keeps at most six attempts, and the newest still work", async () => {
  const browser = new Browser(demo.issuer);
  const first = await beginFor(browser, "/keys");
  let last = first;
  for (let i = 0; i < 8; i++) last = await beginFor(browser, "/usage");
  expect(attemptsOf(browser)).toHaveLength(6);
  expect(new URL((await browser.go(await throughKeycloak(first))).url).pathname).toBe("/sign-in");
  expect(new URL((await browser.go(await throughKeycloak(last))).url).pathname).toBe("/usage");
});

it("the callback's address again leads on to the portal while signed in, and to a new sign-in with the same page after that", async () => {
  const { browser, url } = await upToTheCallback();
  await browser.go(String(url));
  expect(new URL((await browser.go(String(url), {})).url).pathname).toBe("/overview");
  browser.tamper(demo.url, "sluice.session", undefined);
  const again = new URL((await browser.go(String(url))).url);
  expect([again.pathname, again.searchParams.get("error"), again.searchParams.get("returnTo")]).toEqual(["/sign-in", "InvalidCheck", "/overview"]);
});

it("declining the terms is told as that, and not as an answer that came late", async () => {
  const { browser, url } = await upToTheCallback();
  const { text, url: at } = await browser.go(`${callback}?${new URLSearchParams({ error: "access_denied", state: url.searchParams.get("state") ?? "", iss: demo.issuer })}`);
  expect(new URL(at).searchParams.get("error")).toBe("AccessDenied");
  expect(text).toMatch(/declined the terms/);
});

it("a tab that Keycloak sends back because another signed in meanwhile begins again once, and ends where it wanted", async () => {
  const { browser, url } = await upToTheCallback();
  const { url: at } = await browser.go(`${callback}?${new URLSearchParams({ error: "temporarily_unavailable", error_description: "authentication_expired", state: url.searchParams.get("state") ?? "", iss: demo.issuer })}`);
  expect(new URL(at).searchParams.get("code")).toBeTruthy();
  await browser.go(at);
  expect(await isSignedIn(browser)).toBe(true);
});

it("a client secret that Keycloak refuses is named as the cause, for the administrator", async () => {
  const { browser, url } = await upToTheCallback();
  await control("identity", { tokenError: "unauthorized_client" });
  const { url: at, text } = await browser.go(String(url));
  expect(new URL(at).searchParams.get("error")).toBe("client_refused");
  expect(text).toContain("KEYCLOAK_CLIENT_SECRET");
});
