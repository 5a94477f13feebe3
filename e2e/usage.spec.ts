import { randomUUID } from "node:crypto";
import { type Page } from "@playwright/test";
import { expectAccessible, expectFits } from "./accessibility";
import { demoUrl, signIn } from "./people";
import { expect, test } from "./test";

/** A key made in the page's own session, and calls with it: `good` that are answered and one that lacks a permission. */
async function aUsedKey(page: Page, good: number): Promise<{ id: string; name: string; refused: string }> {
  const name = `used ${Date.now()}`;
  // Whoever just signed in is on the way back, and has no session until then.
  await expect(page).toHaveURL(/\/(overview|requests)/);
  const made = await page.request.post("/api/v1/auth/api-keys", { headers: { origin: demoUrl }, data: { name, permissions: ["chatflows:read"] } });
  const { id, key } = ((await made.json()) as { data: { id: string; key: string } }).data;
  for (let i = 0; i < good; i++) await fetch(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": key } });
  const refused = randomUUID();
  await fetch(`${demoUrl}/api/v1/nflow/builder/apps/search`, { method: "POST", headers: { "x-api-key": key, "x-request-id": refused, "content-type": "application/json" }, body: "{}" });
  return { id, name, refused };
}

test("usage shows what a key did, in numbers, plots and a table, and goes back to everything", async ({ page }) => {
  await signIn(page, "uma");
  const total = (label: string) => page.locator("dl > div").filter({ has: page.getByText(label, { exact: true }) }).locator("dd").first();
  // The keys with most calls are listed, and other tests have used some too.
  const { name } = await aUsedKey(page, 60);
  // Calls are counted in batches, and the page shows what was counted when it was opened.
  await expect(async () => {
    await page.goto("/usage");
    await page.getByRole("link", { name }).click({ timeout: 3000 });
    await expect(page.getByRole("heading", { name })).toBeVisible();
    await expect(total("Requests")).toHaveText("60", { timeout: 3000 });
    await expect(total("Refused")).toHaveText("1", { timeout: 3000 });
  }).toPass();
  await expect(page.locator(".recharts-surface").first()).toBeVisible();
  await page.getByText("The numbers").click();
  await expect(page.getByRole("region", { name: "The numbers of the plots" }).getByRole("row")).not.toHaveCount(0);
  await page.getByRole("combobox", { name: "Time" }).selectOption("Last 30 days");
  await expect(page).toHaveURL(/span=day/);
  await expect(total("Requests")).toHaveText("60");
  await page.getByRole("combobox", { name: "Key" }).selectOption("All my calls");
  await expect(page.getByRole("heading", { name: "All my calls" })).toBeVisible();
});

test("a new call appears by itself, a refused one says why, and what if is answered", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto("/requests");
  const { id, name, refused } = await aUsedKey(page, 1);
  await page.goto(`/requests?key=${id}`);
  const table = page.getByRole("table", { name: /your requests/i });
  await expect(table.getByRole("row")).toHaveCount(3, { timeout: 15_000 });
  await page.getByRole("combobox", { name: "Status" }).selectOption("Errors");
  await expect(page.getByRole("heading", { name: "No request matches" })).toBeVisible();
  await page.getByRole("combobox", { name: "Status" }).selectOption("Refused");
  await expect(page).toHaveURL(/status=refused/);
  await expect(table.getByRole("row")).toHaveCount(2);
  await table.getByRole("link", { name: /why\?/ }).click();
  await expect(page).toHaveURL(new RegExp(refused));
  await expect(page.getByRole("heading", { name: "Why was I refused?" })).toBeVisible();
  await expect(page.getByText("A permission was missing")).toBeVisible();
  await expect(page.getByText("nflow:read").first()).toBeVisible();
  await expect(page.getByText(new RegExp(`${new Date().getFullYear()} at \\d+:\\d\\d:\\d\\d`)).first()).toBeVisible();

  await expect(page.getByText(`with ${name}`)).toBeVisible();
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The call would be refused")).toBeVisible();
  await page.getByLabel("Needing").selectOption("chatflows:read");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The call would be admitted")).toBeVisible();
  await page.getByLabel("Needing").selectOption("what an address of the API needs");
  await page.getByLabel("Address of the API").fill("/api/v1/nowhere");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("nothing answers GET there")).toBeVisible();
});

test("a what-if that nobody answers says so, and what was asked stands there to be asked again", async ({ page }) => {
  await signIn(page, "uma");
  const { refused } = await aUsedKey(page, 0);
  const [need, from] = [page.getByLabel("Needing"), page.getByLabel("From address")];
  await page.goto(`/requests/${refused}`);
  await need.selectOption("chatflows:read");
  await from.fill("192.0.2.7");
  await page.route("**/requests/**", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("That could not be asked")).toBeVisible();
  await page.unrouteAll();
  await expect(need).toHaveValue("chatflows:read");
  await expect(from).toHaveValue("192.0.2.7");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The call would be admitted")).toBeVisible();
  await expect(need.getByRole("option", { name: "Read NFlow applications (nflow:read)" })).toBeAttached();
});

test("whoever has a refusal's request id finds its reason by it, on a phone too", async ({ page }) => {
  await signIn(page, "uma");
  const { refused } = await aUsedKey(page, 0);
  await page.setViewportSize({ width: 390, height: 900 });
  await page.goto("/requests");
  const field = page.getByRole("textbox", { name: "Look up a request id" });
  await field.fill(` ${refused} `);
  await expectFits(page, "the look-up");
  await field.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/requests/${refused}$`));
  await expect(page.getByRole("heading", { name: "Why was I refused?" })).toBeVisible();
  await expect(page.getByText("A permission was missing")).toBeVisible();
});

test("what a form of the portal refused is explained behind the request id that it shows", async ({ page }) => {
  await signIn(page, "ada");
  await page.goto("/admin/tenants");
  await page.getByRole("button", { name: "Create tenant" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Slug").fill("acme");
  await dialog.getByLabel("Name").fill("Acme again");
  await dialog.getByRole("button", { name: "Create tenant" }).click();
  const reference = dialog.getByRole("alert").getByRole("link");
  const requestId = await reference.innerText();
  await reference.click();
  await expect(page).toHaveURL(new RegExp(`/requests/${requestId}$`));
  // A conflict is an error, and called one here too.
  await expect(page.getByRole("heading", { name: "Why did it fail?" })).toBeVisible();
  await expect(page.getByRole("link", { name: "conflict" })).toBeVisible();
  // A call is known a moment after its answer, and the page looks for it.
  await expect(page.getByText("POST portal/createTenant")).toBeVisible();
  await expect(page.getByText("Looking in the log")).toHaveCount(0);
});

test("looking at the portal raises no count, and its calls are there when they are included", async ({ page }) => {
  await signIn(page, "gus");
  await expect(page).toHaveURL(/overview/);
  const looked = randomUUID();
  const read = await page.request.get("/api/v1/auth/me", { headers: { "x-request-id": looked } });
  expect(read.status()).toBe(200);
  await page.goto("/requests");
  const included = page.getByRole("switch", { name: "Include calls from this portal" });
  const row = page.getByRole("row").filter({ hasText: looked });
  await included.click();
  await expect(page).toHaveURL(/portal=true/);
  await expect(row).toBeVisible({ timeout: 30_000 });
  await expect(row).toContainText("this portal");
  await included.click();
  await expect(row).toHaveCount(0);

  await page.goto("/usage");
  await expect(page.getByRole("heading", { name: "All my calls" })).toBeVisible();
  await expect(page.getByText("This portal", { exact: true })).toHaveCount(0);
  await page.getByRole("switch", { name: "Include calls from this portal" }).click();
  await expect(page).toHaveURL(/portal=true/);
  await expect(page.getByRole("rowheader", { name: "This portal" })).toBeVisible();
});

test("a request id that is nobody's, and a filter that nothing matches, say so", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto(`/requests/${randomUUID()}`);
  await expect(page.getByText("Looking in the log")).toBeVisible();
  const nothing = page.getByRole("heading", { name: "No call of yours has this id" });
  await expect(nothing).toHaveCount(0);
  // It does not look for ever.
  await expect(nothing).toBeVisible({ timeout: 30_000 });
  await expect(page.getByText("Looking in the log")).toHaveCount(0);
  expect((await page.goto("/requests/no%20such%20id"))?.status()).toBe(404);
  await page.goto(`/requests?key=${randomUUID()}`);
  await expect(page.getByRole("heading", { name: "No request matches" })).toBeVisible();
  await page.getByRole("button", { name: "Show all requests" }).click();
  await expect(page).toHaveURL(/\/requests$/);
});

test("administrators see everybody's requests; others find no such page", async ({ page, browser }) => {
  await signIn(page, "uma");
  const { refused } = await aUsedKey(page, 0);
  await page.goto("/admin/requests");
  await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
  await expect(page.getByRole("table")).toHaveCount(0);
  const context = await browser.newContext();
  const admin = await context.newPage();
  await signIn(admin, "ada");
  await admin.goto("/admin/requests?status=4xx");
  const link = admin.getByRole("link", { name: new RegExp(`why.*${refused}`) });
  await expect(link).toBeVisible({ timeout: 15_000 });
  await link.click();
  await expect(admin.getByRole("heading", { name: "Why was I refused?" })).toBeVisible();
  await context.close();
});

test("an administrator follows somebody's call to its key and its owner, by their names, and stops the key there", async ({ page, browser }) => {
  await signIn(page, "uma");
  const { id, name, refused } = await aUsedKey(page, 1);
  const context = await browser.newContext({ baseURL: demoUrl });
  const admin = await context.newPage();
  await signIn(admin, "ada");
  await expect(admin).toHaveURL(/overview/);
  await admin.goto(`/admin/requests?key=${id}`);
  const row = admin.getByRole("row").filter({ hasText: refused });
  await expect(row.getByText(name)).toBeVisible({ timeout: 15_000 });
  await expect(admin.getByRole("combobox", { name: "Key" }).getByRole("option", { name })).toBeAttached();
  await row.getByRole("link", { name: "uma" }).click();
  await expect(admin.getByText("uma show all")).toBeVisible();

  await admin.goto(`/requests/${refused}`);
  await admin.getByRole("link", { name }).click();
  await expect(admin).toHaveURL(new RegExp(`/admin/keys/${id}$`));
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();
  const total = (label: string) => admin.locator("dl > div").filter({ has: admin.getByText(label, { exact: true }) }).locator("dd").first();
  await expect(total("Requests")).toHaveText("1");
  await expect(total("Refused")).toHaveText("1");
  await admin.getByRole("link", { name: "uma" }).click();
  await expect(admin.getByRole("link", { name: "Their requests" })).toHaveAttribute("href", /^\/admin\/requests\?user=/);
  await admin.goto(`/admin/keys?q=${encodeURIComponent(name)}`);
  await admin.getByRole("link", { name }).click();
  // The list that is being left has a menu of that name, too.
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();
  await admin.getByRole("button", { name: `Actions for ${name}` }).click();
  await admin.getByRole("menuitem", { name: "Revoke" }).click();
  await admin.getByRole("alertdialog").getByRole("textbox").fill(name);
  await admin.getByRole("alertdialog").getByRole("button", { name: "Revoke key" }).click();
  await expect(admin.getByText("that cannot be undone")).toBeVisible();
  await expect(admin.getByRole("button", { name: `Actions for ${name}` })).toHaveCount(0);
  await context.close();

  // To its owner the link leads to the key's own page.
  await page.goto(`/requests/${refused}`);
  await page.getByRole("link", { name }).click();
  await expect(page).toHaveURL(new RegExp(`/keys/${id}$`));
  await expect(page).not.toHaveURL(/admin/);
});

test("the page of a refused request has no accessibility fault, also on a phone", async ({ page }) => {
  // Five pages under the magnifying glass take their time.
  test.slow();
  await signIn(page, "ada");
  const { refused, id } = await aUsedKey(page, 2);
  await expect.poll(async () => ((await (await page.request.get(`/api/v1/requests?apiKeyId=${id}`)).json()) as { data: unknown[] }).data.length).toBe(3);
  for (const path of [`/requests/${refused}`, `/usage?key=${id}`, "/admin/requests", `/admin/keys/${id}`, `/requests?key=${id}`]) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    if (path.startsWith("/usage")) await expect(page.locator(".recharts-surface").first()).toBeVisible();
    await expectAccessible(page, path);
    await page.setViewportSize({ width: 390, height: 900 });
    await expectFits(page, path);
  }
});
