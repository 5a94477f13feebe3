import type { Page } from "@playwright/test";
import { expectAccessible, expectFits } from "./accessibility";
import { demoUrl, enterPassword, order, signIn } from "./people";
import { expect, test } from "./test";

// The faults are those of the token endpoint, before which a real Keycloak has a proxy that takes the same orders.
test.afterEach(() => order({ reset: true }));
// Several ways to Keycloak and back, and a wait until it may be asked again.
test.describe.configure({ timeout: 180_000 });

const away = "The identity service does not answer";
const session = async (page: Page) => (await page.context().cookies(demoUrl)).find(({ name }) => name.endsWith("sluice.session"))?.value;

test("a sign-in that Keycloak cannot answer ends at a page that says so, and goes on to where it was to lead once Keycloak is back", async ({ page }) => {
  // What the portal looks at to see Keycloak come back answers all the time: only its token endpoint fails here.
  await page.route("**/status/state", (route) => route.fulfill({ json: { at: 0, parts: { identity: false } } }));
  await page.goto("/usage");
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await order({ tokenStatus: 503 });
  await enterPassword(page, "uma");
  await expect(page).toHaveURL(/\/identity-unavailable\?returnTo=/);
  await expect(page.getByRole("heading", { level: 1, name: away })).toBeVisible();
  await expect(page.getByText("Nothing is wrong with your account")).toBeVisible();
  await expectAccessible(page, "signing in");
  await expectFits(page, "signing in");
  expect(await session(page)).toBeUndefined();

  // Trying again too early leads to signing in, and that here again.
  await page.getByRole("link", { name: "Try again" }).click();
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await expect(page).toHaveURL(/\/identity-unavailable\?returnTo=/);
  await order({ reset: true });
  await page.unroute("**/status/state");
  await expect(page).toHaveURL(/\/sign-in\?returnTo=%2Fusage/);
  // Keycloak knows the person by now. For a moment after its failures it is left alone.
  await expect(async () => {
    await page.goto("/sign-in?returnTo=%2Fusage");
    await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
    await expect(page).toHaveURL(`${demoUrl}/usage`, { timeout: 15_000 });
  }).toPass();
});

test("a page that gets no token says so in its place; the session is kept, and the page comes by itself once Keycloak is back", async ({ page }) => {
  await order({ tokenExpiresIn: 0 });
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const before = await session(page);
  await order({ tokenExpiresIn: null, tokenStatus: 503 });
  await page.goto("/nflow");
  await expect(page.getByRole("heading", { name: away })).toBeVisible();
  await expect(page.getByText("Your session is kept and nothing is lost.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
  await expectAccessible(page, "in place");
  // Everything that needs no token is there.
  await page.getByRole("link", { name: "API keys" }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: "API keys" })).toBeVisible();
  await page.getByRole("link", { name: "NFlow" }).first().click();
  await expect(page.getByRole("heading", { name: away })).toBeVisible();
  expect(await session(page)).toBe(before);
  await order({ reset: true });
  await expect(page.getByRole("heading", { level: 1, name: "NFlow applications" })).toBeVisible({ timeout: 30_000 });
  expect(await session(page)).toBe(before);
});
