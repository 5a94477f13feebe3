import { execFileSync } from "node:child_process";
import { expectAccessible, expectInLandmarks } from "./accessibility";
import { call, keepKeysTidy, openForm, openKey, takeSecret } from "./keys";
import { demoUrl, enterPassword, signIn } from "./people";
import { expect, test } from "./test";

keepKeysTidy();

test("the secret of a key stays through Esc and clicks beside it, and goes by its button after it was copied or a warning", async ({ page, request }) => {
  await signIn(page, "uma");
  const dialog = await openForm(page);
  const name = `e2e firm ${Date.now()}`;
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Create key" }).click();
  const secret = dialog.getByTestId("secret");
  await expect(secret).toBeVisible();
  const tryToLeave = async () => {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await page.mouse.click(5, 5);
    await expect(secret).toBeVisible();
    await expect(page.getByRole("alertdialog")).toHaveCount(0);
  };
  await tryToLeave();
  await dialog.getByRole("button", { name: "Done" }).click();
  const warning = page.getByRole("alertdialog", { name: "Close without copying the key?" });
  await expect(warning).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(warning).toBeHidden();
  await expect(secret).toBeVisible();
  expect((await call(request, await secret.innerText())).status()).toBe(200);
  const printed = await dialog.getByLabel("curl", { exact: true }).innerText();
  expect(JSON.parse(execFileSync("bash", ["-euc", `${printed} -s`], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })), "the printed command runs as it is").toMatchObject({ status: "success" });
  // Copied, it still does not go by accident.
  await dialog.getByRole("button", { name: "Copy", exact: true }).first().click();
  await tryToLeave();
  await takeSecret(page);

  await openKey(page, name);
  await page.getByRole("button", { name: "Rotate …" }).click();
  await dialog.getByRole("button", { name: /^Rotate/ }).click();
  await expect(secret).toBeVisible();
  await tryToLeave();
  await takeSecret(page);
});

test("a form that is half filled in asks before Esc, its cross or a click beside it discards it; Cancel does not ask", async ({ page }) => {
  await signIn(page, "uma");
  const dialog = await openForm(page);
  const name = dialog.getByLabel("Name");
  await page.keyboard.press("Escape");
  await expect(dialog, "untouched, it goes").toBeHidden();

  await openForm(page);
  await name.fill("half a name");
  const question = page.getByRole("alertdialog", { name: "Discard what you typed?" });
  for (const leave of [() => page.keyboard.press("Escape"), () => dialog.getByRole("button", { name: "Close" }).click(), () => page.mouse.click(5, 5)]) {
    await leave();
    await question.getByRole("button", { name: "Keep editing" }).click();
    await expect(name).toHaveValue("half a name");
  }
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "Discard" }).click();
  await expect(dialog).toBeHidden();

  await openForm(page);
  await expect(name).toHaveValue("");
  await name.fill("another");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  await expect(question).toBeHidden();
});

test("a session that ended while a form was open leads to sign in and back, and the form is filled in as it was", async ({ page, context }) => {
  await signIn(page, "uma");
  const dialog = await openForm(page);
  const name = `e2e kept ${Date.now()}`;
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Calls at most").fill("77");
  // As when it ended in another browser; Keycloak asks for the password, too.
  await context.clearCookies();
  await dialog.getByRole("button", { name: "Create key" }).click();
  const ended = page.getByRole("dialog", { name: "Your session has ended" });
  await ended.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await enterPassword(page, "uma");
  await expect(page).toHaveURL(/\/keys/);
  await page.getByRole("button", { name: "Create key" }).first().click();
  await expect(dialog.getByLabel("Name")).toHaveValue(name);
  await expect(dialog.getByLabel("Calls at most")).toHaveValue("77");
});

test("what one person typed is not shown to another who signs in after them", async ({ page, context }) => {
  await signIn(page, "uma");
  const dialog = await openForm(page);
  await dialog.getByLabel("Name").fill("uma's own words");
  await context.clearCookies();
  await dialog.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("dialog", { name: "Your session has ended" }).getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await enterPassword(page, "gus");
  await expect(page).toHaveURL(/\/keys/);
  await page.getByRole("button", { name: "Create key" }).first().click();
  await expect(dialog.getByLabel("Name")).toHaveValue("");
});

test("an administrator finds the account menu on a laptop's screen, and an open menu has no accessibility fault", async ({ page }) => {
  await signIn(page, "ada");
  for (const [width, height] of [[1366, 768], [1280, 720], [1280, 560]] as const) {
    await page.setViewportSize({ width, height });
    await page.goto("/overview");
    const account = page.getByRole("button", { name: /^Account of/ }).first();
    await expect(account).toBeInViewport({ ratio: 1 });
    // The last link is reached all the same.
    const last = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Plans" });
    await last.focus();
    await expect(last).toBeInViewport({ ratio: 1 });
    await account.click();
    await expect(page.getByRole("menuitem", { name: "Sign out" })).toBeInViewport({ ratio: 1 });
    await expectAccessible(page, "open account menu");
    await expectInLandmarks(page, "open account menu");
    await page.keyboard.press("Escape");
  }
});

test("the docs fit a phone", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ["/docs", "/docs/keys", "/docs/tokens", "/docs/reference", "/docs/errors"]) {
    await page.goto(`${demoUrl}${path}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), path).toBeLessThanOrEqual(0);
  }
});
