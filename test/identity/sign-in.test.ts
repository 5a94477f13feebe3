import { afterEach, expect, it } from "vitest";
import { Browser, call, control, demo, passwordOf, resetParts, signIn, toKeycloak } from "../http/client";

afterEach(resetParts);

it.each([
  ["hangs", { tokenDelayMs: 60_000 }, 12_000], ["breaks the connection", { tokenDrop: "request" }, 5000], ["answers 503", { tokenStatus: 503 }, 5000], ["answers 429", { tokenStatus: 429, tokenRetryAfter: "1" }, 5000],
] as const)("signing in while the token endpoint %s ends soon at a page that names the reason, and makes no session", async (_, fault, withinMs) => {
  const browser = new Browser();
  const page = await toKeycloak(browser);
  await control("identity", fault);
  const askedAt = Date.now();
  const end = await browser.submit(page, { username: "vic", password: passwordOf("vic") });
  expect(Date.now() - askedAt).toBeLessThan(withinMs);
  expect(end.url).toContain("/identity-unavailable?returnTo=%2Foverview");
  expect(end.text).toContain("The identity service does not answer");
  expect(browser.cookies(demo.url)).not.toMatch(/sluice\.session=[^;]/);
  await control("identity", { reset: true });
  await expect.poll(async () => (await call(demo.url, "GET", "/api/v1/auth/me", { cookie: (await signIn("vic").catch(() => new Browser())).cookies(demo.url) })).status, { timeout: 20_000, interval: 500 }).toBe(200);
});

it("somebody who signs in again while Keycloak fails stays signed in as before", async () => {
  const browser = await signIn("vic");
  const before = browser.cookies(demo.url);
  await control("identity", { tokenStatus: 503 });
  const end = await toKeycloak(browser);
  expect(end.url).toContain("/identity-unavailable?returnTo=%2Foverview");
  await control("identity", { reset: true });
  expect((await call(demo.url, "GET", "/api/v1/auth/me", { cookie: before })).status).toBe(200);
  expect(browser.cookies(demo.url)).toContain(/sluice\.session=[^;]+/.exec(before)?.[0] ?? "nothing");
});
