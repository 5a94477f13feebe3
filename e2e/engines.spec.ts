import { signIn } from "./people";
import { expect, test } from "./test";

test("uma talks to an assigned chatflow, streamed and plain, and sees what it cost", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto("/chatflows");
  await page.getByRole("link", { name: /Support assistant/ }).first().click();
  const log = page.getByRole("log");
  const before = Number((await page.getByText("Credits left").locator("xpath=following-sibling::p").first().innerText()).replaceAll(",", ""));

  await page.getByLabel("Your question").fill("hello streamed world");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log).toContainText(/hello streamed world[\s\S]*hello streamed world/i);

  await page.getByLabel("Show the answer as it comes").click();
  await page.getByLabel("Your question").fill("plain question");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(log).toContainText(/plain question[\s\S]*plain question/i);
  await expect(page.getByText("Credits left").locator("xpath=following-sibling::p").first()).toHaveText((before - 2).toLocaleString("en"));
});

test("a chatflow that is not assigned is not there", async ({ page }) => {
  await signIn(page, "vic");
  await page.goto("/chatflows");
  await expect(page.getByRole("link", { name: /Support assistant/ })).toHaveCount(0);
  await page.goto("/chatflows/11111111-1111-4111-8111-111111111111");
  await expect(page.getByRole("heading", { name: /not (found|here)|nothing|no such/i })).toBeVisible();
});

test("uma creates an NFlow application and deletes it", async ({ page }) => {
  const name = `e2e_${Date.now()}`;
  await signIn(page, "uma");
  await page.goto("/nflow");
  await page.getByRole("button", { name: /(Create|New) app/ }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Display name").fill("End to end");
  await dialog.getByLabel(/^(API name|Name)/).fill(name);
  await dialog.getByRole("button", { name: /Create/ }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("row").filter({ hasText: name });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: /Delete|Actions/ }).click();
  const item = page.getByRole("menuitem", { name: /Delete|Remove/ });
  if (await item.isVisible()) await item.click();
  await page.getByRole("alertdialog").getByRole("button", { name: /Delete|Remove/ }).click();
  await expect(row).toHaveCount(0);
});
