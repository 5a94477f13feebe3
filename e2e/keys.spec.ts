import { expect, test } from "@playwright/test";
import { demoUrl, giveMachineAccess, signIn } from "./people";

test("uma gives machine access, creates a key, sees it once, calls with it, finds it in the list and revokes it", async ({ page, context, request }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, "uma");
  await giveMachineAccess(page);

  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const dialog = page.getByRole("dialog");
  const name = `e2e ${Date.now()}`;
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Calls at most").fill("50");
  await dialog.getByRole("button", { name: "Create key" }).click();

  const secret = await dialog.getByTestId("secret").innerText();
  expect(secret).toMatch(/^slk_[0-9A-Za-z]{49}$/);
  await expect(dialog.getByText(/curl .*X-API-Key/)).toBeVisible();
  await dialog.getByRole("button", { name: "Copy", exact: true }).first().click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toBeHidden();

  const row = page.getByRole("row").filter({ hasText: name });
  await expect(row).toContainText(`${secret.slice(0, 8)}…${secret.slice(-4)}`);
  expect(await page.content()).not.toContain(secret);
  await page.reload();
  expect(await page.content()).not.toContain(secret);

  const headers = { "x-api-key": secret };
  const me = await request.get(`${demoUrl}/api/v1/auth/me`, { headers });
  expect(me.status()).toBe(200);
  expect(me.headers()["x-ratelimit-limit"]).toBe("50");
  const flows = (await (await request.get(`${demoUrl}/api/v1/chatflows`, { headers })).json()) as { id: string; name: string }[];
  expect(flows.length).toBeGreaterThan(0);
  // The table refreshes itself.
  await expect(row).toContainText("2", { timeout: 20_000 });

  await row.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const confirm = page.getByRole("alertdialog");
  await expect(confirm).toContainText(secret.slice(-4));
  await confirm.getByRole("button", { name: "Revoke key" }).click();
  await expect(confirm).toBeHidden();
  await expect(row).toContainText(/revoked/i);
  const refused = await request.get(`${demoUrl}/api/v1/auth/me`, { headers });
  expect(refused.status()).toBe(401);
  expect(((await refused.json()) as { code: string }).code).toBe("key_revoked");
});

test("a key that was not copied is not lost by a slip: closing asks", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(`slip ${Date.now()}`);
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByTestId("secret")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("alertdialog")).toBeVisible();
});

test("the form says what is wrong beside the field, and keeps what was typed", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Description").fill("kept");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await expect(dialog.getByLabel("Description")).toHaveValue("kept");
});

test("vic, a viewer, may look and create nothing", async ({ page }) => {
  await signIn(page, "vic");
  await page.goto("/keys");
  await expect(page.getByRole("heading", { name: "API keys" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Create key" })).toHaveCount(0);
});
