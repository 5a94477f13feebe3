import { createHash, randomBytes } from "node:crypto";
import { type Locator, type Page } from "@playwright/test";
import pg from "pg";
import { expectAccessible, expectFits } from "./accessibility";
import { demoUrl, signIn } from "./people";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

const adminPages = ["/admin/keys", "/admin/tenants", "/admin/plans"];
const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text });

async function createFor(dialog: Locator, person: string, name: string): Promise<void> {
  await dialog.getByLabel("Tenant", { exact: true }).fill("acme");
  await dialog.getByLabel("Person", { exact: true }).fill(person);
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("button", { name: "Create key" }).click();
}

test("ada makes a plan and a tenant that has it, changes its limits, and switches it off and on", async ({ page }) => {
  const mark = Date.now().toString(36);
  await signIn(page, "ada");
  await page.goto("/admin/plans");
  await page.getByRole("button", { name: "Create plan" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(`Team ${mark}`);
  await page.getByRole("dialog").getByLabel("API keys a person may have").fill("many");
  await page.getByRole("dialog").getByRole("button", { name: "Create plan" }).click();
  await expect(page.getByRole("dialog").getByLabel("API keys a person may have")).toHaveAttribute("aria-invalid", "true");
  await page.getByRole("dialog").getByLabel("API keys a person may have").fill("3");
  await page.getByRole("dialog").getByRole("button", { name: "Create plan" }).click();
  await expect(rowOf(page, `Team ${mark}`)).toContainText("3 keys a person");

  await page.getByRole("link", { name: "Tenants" }).first().click();
  await page.getByRole("button", { name: "Create tenant" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(`Newco ${mark}`);
  await dialog.getByLabel("Slug").fill("Not A Slug");
  await dialog.getByRole("button", { name: "Create tenant" }).click();
  await expect(dialog.getByLabel("Slug")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Slug").fill(`newco-${mark}`);
  await dialog.getByLabel("Plan").selectOption(`Team ${mark}`);
  await dialog.getByRole("button", { name: "Create tenant" }).click();
  await expect(dialog).toBeHidden();
  await page.getByLabel("Search tenants").fill(`newco-${mark}`);
  const row = rowOf(page, `Newco ${mark}`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(row).toContainText("3 keys a person");

  await page.getByRole("button", { name: `Actions for Newco ${mark}` }).click();
  await page.getByRole("menuitem", { name: "Edit", exact: true }).click();
  await dialog.getByLabel("Calls of the whole tenant").fill("500");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await expect(row).toContainText("500 calls per hour");

  await page.getByRole("button", { name: `Actions for Newco ${mark}` }).click();
  await page.getByRole("menuitem", { name: "Switch off" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Switch off" }).click();
  await expect(row).toContainText("switched off");
  await page.getByRole("button", { name: `Actions for Newco ${mark}` }).click();
  await page.getByRole("menuitem", { name: "Switch on" }).click();
  await expect(row).toContainText("active");
});

test("ada makes a key for uma, finds it among everybody's, and revokes it by typing its name", async ({ page, request }) => {
  const name = `for uma ${Date.now()}`;
  await signIn(page, "ada");
  await page.goto("/admin/keys");
  await page.getByRole("button", { name: "Create key for somebody" }).first().click();
  const dialog = page.getByRole("dialog");
  await createFor(dialog, "nobody", name);
  await expect(dialog.getByRole("alert")).toContainText("nobody called nobody");
  await dialog.getByLabel("Person", { exact: true }).fill("uma@acme.test");
  await dialog.getByRole("button", { name: "Create key" }).click();
  const secret = await dialog.getByTestId("secret").innerText();
  const me = await request.get(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": secret } });
  expect(((await me.json()) as { data: { email: string } }).data.email).toBe("uma@acme.test");
  await dialog.getByRole("button", { name: "Copy", exact: true }).first().click();
  await dialog.getByRole("button", { name: "Done" }).click();

  await page.getByLabel("Search keys").fill(name);
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(rowOf(page, name)).toContainText("acme");
  await page.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const confirm = page.getByRole("alertdialog");
  await expect(confirm.getByRole("button", { name: "Revoke key" })).toBeDisabled();
  await confirm.getByRole("textbox").fill(name);
  await confirm.getByRole("button", { name: "Revoke key" }).click();
  await expect(rowOf(page, name)).toContainText("revoked");
  expect((await request.get(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": secret } })).status()).toBe(401);
});

test("the first key of all is made from the empty list, and its secret stays in sight when the list is empty no more", async ({ page }) => {
  const name = `first of all ${Date.now()}`;
  await signIn(page, "ada");
  await expect(page).toHaveURL(/overview/);
  await withoutKeys(async () => {
    await page.goto("/admin/keys");
    await expect(page.getByRole("heading", { name: "Nobody has a key yet" })).toBeVisible();
    await page.getByRole("button", { name: "Create key for somebody" }).last().click();
    const dialog = page.getByRole("dialog");
    await createFor(dialog, "ada", name);
    // Behind the dialog, and so in nobody's tree of roles.
    await expect(page.locator("tbody tr").filter({ hasText: name })).toBeVisible();
    await expect(dialog.getByTestId("secret")).toHaveText(/^slk_/);
    const { data } = (await (await page.request.get(`${demoUrl}/api/v1/auth/api-keys?q=${encodeURIComponent(name)}`)).json()) as { data: { id: string }[] };
    expect((await page.request.delete(`${demoUrl}/api/v1/auth/api-keys/${data[0]?.id}`, { headers: { origin: demoUrl } })).status()).toBe(200);
  });
});

test("ada imports keys of an earlier system: faults by line, a preview, a result per key, and the key works", async ({ page, request }) => {
  const key = `kaa_${randomBytes(32).toString("hex")}`;
  const sha256 = createHash("sha256").update(key).digest("hex");
  const mark = `imported ${Date.now()}`;
  const works = async () => (await request.get(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": key } })).status();
  await signIn(page, "ada");
  await page.goto("/admin/keys");
  await page.getByRole("button", { name: "Import keys" }).click();
  const dialog = page.getByRole("dialog");
  const text = dialog.getByLabel("Or paste CSV or JSON");
  await text.fill(`sha256,name,user,tenant,permissions\n${sha256.slice(1)},${mark},uma,acme,read`);
  await dialog.getByRole("button", { name: "Preview" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Line 2: sha256: must be 64 hex digits");
  await dialog.getByLabel("File").setInputFiles({ name: "keys.csv", mimeType: "text/csv", buffer: Buffer.from(`sha256,name,user,tenant,permissions\n${sha256},${mark},uma,acme,read\n${sha256.replace(/^./, "0")},${mark} 2,nobody,acme,read`) });
  await expect(text).toHaveValue(new RegExp(mark));
  await dialog.getByRole("button", { name: "Preview" }).click();
  await expect(dialog.getByText("would be imported")).toHaveCount(1);
  await expect(dialog.getByText("nobody called nobody")).toBeVisible();
  expect(await works()).toBe(401);
  await dialog.getByRole("button", { name: "Import 1 key" }).click();
  await expect(dialog.getByText("imported", { exact: true })).toBeVisible();
  expect(await works()).toBe(200);
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(rowOf(page, mark)).toContainText("uma");
});

test("a page of a longer list of tenants or plans keeps its order: only a whole list can be sorted", async ({ page }) => {
  await signIn(page, "ada");
  await expect(page).toHaveURL(/overview/);
  const plan = `Sorted ${Date.now().toString(36)}`;
  const made = await page.request.post(`${demoUrl}/api/admin/plans`, { headers: { origin: demoUrl }, data: { name: plan } });
  const sorts = page.getByRole("columnheader").getByRole("button");
  for (const [list, q] of [["tenants", "acme"], ["plans", plan]] as const) {
    await page.goto(`/admin/${list}?${new URLSearchParams({ q })}`);
    await expect(sorts).not.toHaveCount(0);
    const { page: { nextCursor } } = (await (await page.request.get(`${demoUrl}/api/admin/${list}?limit=1`)).json()) as { page: { nextCursor: string } };
    await page.goto(`/admin/${list}?${new URLSearchParams({ cursor: nextCursor })}`);
    await expect(page.getByRole("link", { name: "First page" })).toBeVisible();
    await expect(page.getByRole("row")).not.toHaveCount(0);
    await expect(sorts).toHaveCount(0);
  }
  const { data } = (await made.json()) as { data: { id: string } };
  expect((await page.request.delete(`${demoUrl}/api/admin/plans/${data.id}`, { headers: { origin: demoUrl } })).status()).toBe(200);
});

test("uma sees no administration, and its pages tell her nothing", async ({ page }) => {
  await signIn(page, "uma");
  await expect(page.getByRole("link", { name: "Tenants" })).toHaveCount(0);
  for (const path of adminPages) {
    expect((await page.goto(path))?.status()).toBe(404);
    await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
    await expect(page.getByRole("row")).toHaveCount(0);
    await expect(page.getByRole("button", { name: /Create|Import/ })).toHaveCount(0);
  }
});

test("administration has no accessibility fault, and fits a phone", async ({ page }) => {
  test.slow();
  await signIn(page, "ada");
  for (const path of adminPages) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await expectAccessible(page, path);
    await page.setViewportSize({ width: 360, height: 780 });
    await expectFits(page, path);
    await page.getByRole("button", { name: /^(Create|Import)/ }).first().click();
    await expect(page.getByRole("dialog").getByRole("textbox").first()).toBeVisible();
    await expectAccessible(page, `${path}, dialog`);
    await page.keyboard.press("Escape");
  }
});

/** As on the first day: nobody has a key. Afterwards all have theirs again. */
async function withoutKeys(run: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: stackInfo().demo.databaseUrl });
  await client.connect();
  // What points to keys stays where it is, and is not asked whether they are there.
  await client.query('SET session_replication_role = replica; CREATE TABLE "KeptKey" AS TABLE "ApiKey"; DELETE FROM "ApiKey"');
  try {
    await run();
  } finally {
    await client.query('INSERT INTO "ApiKey" TABLE "KeptKey"; DROP TABLE "KeptKey"');
    await client.end();
  }
}
