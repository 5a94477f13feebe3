import { randomBytes } from "node:crypto";
import { type Page } from "@playwright/test";
import { demoUrl, order, signOut } from "./people";
import { expect, test } from "./test";

const adminName = "ada";

/** Signs in with a password of one's own, which no demo person has. */
async function signInAs(page: Page, username: string, password: string): Promise<void> {
  await page.goto(`${demoUrl}/sign-in`);
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await page.getByLabel("Username or email").fill(username);
  await page.locator("#password").fill(password);
  await page.getByRole("button", { name: "Sign In", exact: true }).click();
}

test.describe("an account of one's own", () => {
  test.describe.configure({ timeout: 180_000 });
  const username = `reg${randomBytes(4).toString("hex")}`;
  const [password, next] = [randomBytes(12).toString("hex"), randomBytes(12).toString("hex")];
  let exists = false;

  test.afterEach(async () => {
    // Other tests count the people of the realm.
    if (exists) await order({ deleteUser: username });
    exists = false;
  });

  test("is made on Keycloak's page, opens the portal once a role is given, and gets another password there, which signs other devices out", async ({ page, browser }) => {
    await page.goto("/sign-in?returnTo=/sessions");
    await page.getByRole("button", { name: "Create an account" }).click();
    await page.locator("#username").fill(username);
    await page.locator("#password").fill(password);
    await page.locator("#password-confirm").fill(`${password}x`);
    await page.locator("#email").fill(`${username}@acme.test`);
    await page.locator("#firstName").fill("Reg");
    await page.locator("#lastName").fill("Ister");
    await page.getByRole("button", { name: "Register" }).click();
    // Keycloak keeps what is not secret, and so does the way back to us.
    await expect(page.getByText(/doesn['’]t match/)).toBeVisible();
    await expect(page.locator("#username")).toHaveValue(username);
    await page.locator("#password").fill(password);
    await page.locator("#password-confirm").fill(password);
    await page.getByRole("button", { name: "Register" }).click();
    await expect(page).toHaveURL(/\/no-access/);
    exists = true;
    await expect(page.getByText(`${adminName}@acme.test`)).toBeVisible();

    await order({ setRoles: { [username]: ["user"] } });
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(/\/signed-out/);
    await signInAs(page, username, password);
    await expect(page.getByRole("button", { name: "Account of Reg Ister" })).toBeVisible();
    const other = await (await browser.newContext()).newPage();
    await signInAs(other, username, password);
    await expect(other.getByRole("button", { name: "Account of Reg Ister" })).toBeVisible();

    await page.goto("/sessions");
    await page.getByRole("link", { name: "Change password" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page).toHaveURL(/\/sessions/);
    await expect(page.getByText("Nothing was changed")).toBeVisible();

    await page.getByRole("link", { name: "Change password" }).click();
    await page.locator("#password-new").fill(next);
    await page.locator("#password-confirm").fill(next);
    await page.locator("#logout-sessions").check();
    await page.getByRole("button", { name: "Submit" }).click();
    await expect(page).toHaveURL(/\/sessions/);
    await expect(page.getByText("Done at Keycloak")).toBeVisible();
    await expect(page.getByRole("row").filter({ hasText: "This device" })).toBeVisible();

    // Keycloak told us of the other one.
    await expect(async () => {
      await other.goto(`${demoUrl}/sessions`);
      await expect(other.getByText("Your session has ended")).toBeVisible({ timeout: 3000 });
    }).toPass({ timeout: 30_000 });
    await other.context().close();

    await signOut(page);
    await signInAs(page, username, password);
    await expect(page.getByText(/Invalid (username or )?password/)).toBeVisible();
    await page.locator("#password").fill(next);
    await page.getByRole("button", { name: "Sign In", exact: true }).click();
    await expect(page.getByRole("button", { name: "Account of Reg Ister" })).toBeVisible();
  });
});
