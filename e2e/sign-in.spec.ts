import { tokenPartsIn } from "../dev/leaks";
import { demoUrl, enterPassword, signIn, signOut } from "./people";
import { expect, test } from "./test";

test("uma signs in, sees who she is, and signs out of the portal and of Keycloak", async ({ page, context }) => {
  await page.goto("/keys");
  await expect(page).toHaveURL(/\/sign-in\?returnTo=%2Fkeys/);
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await enterPassword(page, "uma");
  await expect(page).toHaveURL(`${demoUrl}/keys`);

  await page.goto("/overview");
  await expect(page.getByRole("button", { name: /Account of Uma Usher/ }).first()).toBeVisible();
  await expect(page.getByText("acme").first()).toBeVisible();

  const cookies = await context.cookies(demoUrl);
  const session = cookies.find((c) => c.name === "sluice.session");
  expect(session).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  expect(session!.value.length).toBeLessThan(1024);
  // No token reaches the browser: not in storage, not in the page, not in what the session route tells.
  expect(tokenPartsIn(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })))).toEqual([]);
  expect(tokenPartsIn(await page.content())).toEqual([]);
  expect(tokenPartsIn(await page.evaluate(async () => (await fetch("/api/auth/session")).text()))).toEqual([]);

  await signOut(page);
  await expect(page.getByText("Your session here and at Keycloak has ended.")).toBeVisible();
  await page.goto("/overview");
  await expect(page).toHaveURL(/\/sign-in/);
  // Keycloak's own session is over too: it asks for the password again.
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await expect(page.getByLabel("Password", { exact: true })).toBeVisible();
});

test("two tabs that sign in at the same time both end where they wanted, and the way back leads to the portal", async ({ page, context }) => {
  const second = await context.newPage();
  for (const [tab, path] of [[page, "/keys"], [second, "/usage"]] as const) {
    await tab.goto(path);
    await tab.getByRole("button", { name: "Sign in with Keycloak" }).click();
    await expect(tab.getByLabel("Password", { exact: true })).toBeVisible();
  }
  let answer = "";
  page.on("request", (request) => { if (request.url().includes("/callback/keycloak?")) answer = request.url(); });
  await enterPassword(page, "uma");
  await expect(page).toHaveURL(`${demoUrl}/keys`);
  // A real Keycloak takes the other tab along; the stand-in waits there for the password.
  if (!process.env.SLUICE_REAL?.includes("keycloak")) await enterPassword(second, "uma");
  await expect(second).toHaveURL(`${demoUrl}/usage`);
  await page.goto(answer);
  await expect(page).toHaveURL(new RegExp(`^${demoUrl}/(keys|usage|overview)$`));
});

test("a wrong password stays with Keycloak, and the right one then works", async ({ page }) => {
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await page.getByLabel("Username or email").fill("vic");
  await page.getByLabel("Password", { exact: true }).fill("not-it");
  await page.getByRole("button", { name: "Sign In", exact: true }).click();
  await expect(page.getByText("Invalid username or password.")).toBeVisible();
  await enterPassword(page, "vic");
  await expect(page).toHaveURL(/\/overview/);
});

test("nel, who has no role, learns whom to ask and sees nothing else", async ({ page }) => {
  await signIn(page, "nel");
  await expect(page).toHaveURL(/\/no-access/);
  await expect(page.getByRole("heading", { name: "You have no access yet" })).toBeVisible();
  await expect(page.getByText("ada@acme.test")).toBeVisible();
  await page.goto("/keys");
  await expect(page).toHaveURL(/\/no-access/);
});

test("a sign-in leads only to our own pages", async ({ page }) => {
  await signIn(page, "uma", "/sign-in?returnTo=https://evil.test/");
  await expect(page).toHaveURL(new RegExp(`^${demoUrl}/`));
});
