import { Redis } from "ioredis";
import { afterAll, expect, it } from "vitest";
import { Browser, call, demo, passwordOf, resetParts, signIn, toKeycloak } from "./client";

const callback = `${demo.url}/api/auth/callback/keycloak`;
const [state, nonce, verifier] = ["authjs.state", "authjs.nonce", "authjs.pkce.code_verifier"];
const store = new Redis(demo.redisUrl);
afterAll(resetParts);
afterAll(() => store.disconnect());

/** A real sign-in up to Keycloak's answer, which is not followed: a code that is good, for this browser. */
async function upToTheCallback(username = "uma"): Promise<{ browser: Browser; url: URL }> {
  const browser = new Browser(callback);
  const url = new URL((await browser.submit(await toKeycloak(browser), { username, password: passwordOf(username) })).url);
  for (const name of [state, nonce, verifier]) expect(browser.cookie(demo.url, name), name).toBeTruthy();
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
  const kept = [state, nonce, verifier].map((name) => [name, browser.cookie(demo.url, name)] as const);
  expect(await madeBy(browser, url)).toHaveLength(1);
  expect(await isSignedIn(browser)).toBe(true);
  for (const [name] of kept) expect(browser.cookie(demo.url, name), name).toBeUndefined();
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
  ["another browser's state", ({ browser }, others) => browser.tamper(demo.url, state, others.cookie(demo.url, state))],
  ["a state that was changed on the way", ({ url }) => url.searchParams.set("state", `${url.searchParams.get("state") ?? ""}A`)],
  ["no state", ({ url }) => url.searchParams.delete("state")],
  ["the nonce of another sign-in", ({ browser }, others) => browser.tamper(demo.url, nonce, others.cookie(demo.url, nonce))],
  ["no nonce to compare with", ({ browser }) => browser.tamper(demo.url, nonce, undefined)],
  ["the verifier of another sign-in", ({ browser }, others) => browser.tamper(demo.url, verifier, others.cookie(demo.url, verifier))],
  ["no verifier", ({ browser }) => browser.tamper(demo.url, verifier, undefined)],
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
