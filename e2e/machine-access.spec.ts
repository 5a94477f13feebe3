import pg from "pg";
import { giveMachineAccess, order, signIn, signOut } from "./people";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

/** Months pass in the database, not in the test. */
async function age(username: string, set: string): Promise<void> {
  const client = new pg.Client({ connectionString: stackInfo().demo.databaseUrl });
  await client.connect();
  await client.query(`UPDATE "OwnerGrant" g SET ${set} FROM "User" u WHERE u.id = g."userId" AND u.username = $1`, [username]);
  await client.end();
}

test("vic is warned of the end of machine access, and the next sign-in renews it without asking anything", async ({ page }) => {
  await signIn(page, "vic");
  await giveMachineAccess(page);
  await age("vic", `"givenAt" = now() - interval '81 days', "absDeadlineAt" = now() + interval '9 days', "idleDeadlineAt" = now() + interval '9 days'`);
  await page.goto("/overview");
  await expect(page.getByText("Machine access ends in 8 days")).toBeVisible();
  await page.getByRole("link", { name: "Renew it" }).click();
  await expect(page.getByText("Ends soon", { exact: true })).toBeVisible();
  await expect(page.getByText("Your consent in the browser")).toBeVisible();

  await signOut(page);
  await signIn(page, "vic", "/sign-in?returnTo=%2Fmachine-access");
  // No page of Keycloak came between, and no word about it is in the address.
  await expect(page).toHaveURL(/\/machine-access$/);
  await expect(page.getByText("Active", { exact: true })).toBeVisible();
  await expect(page.getByText("Ends soon")).toHaveCount(0);
});

test("vic, whose consent is gone, signs in as ever: what cannot be renewed keeps nobody", async ({ page }) => {
  await signIn(page, "vic");
  await giveMachineAccess(page);
  await order({ revokeGrant: "vic" });
  await age("vic", `"givenAt" = now() - interval '81 days', "absDeadlineAt" = now() + interval '9 days'`);
  await signOut(page);
  await signIn(page, "vic", "/sign-in?returnTo=%2Fmachine-access");
  await expect(page).toHaveURL(/\/machine-access$/);

  await age("vic", `status = 'needs_reauth', "statusReason" = 'stale', sealed = '', "absDeadlineAt" = NULL, "idleDeadlineAt" = NULL`);
  await page.reload();
  await expect(page.getByText("An administrator signed you out everywhere")).toBeVisible();
  await expect(page.getByRole("link", { name: "Give machine access again" })).toBeVisible();
});
