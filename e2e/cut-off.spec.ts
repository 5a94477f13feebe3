import { type Page } from "@playwright/test";
import { expectAccessible, expectFits } from "./accessibility";
import { demoUrl, signIn } from "./people";
import { expect, test } from "./test";

const rowOf = (page: Page, text: string) => page.getByRole("row").filter({ hasText: text });

/** A key that its owner makes in their browser. */
async function aKey(page: Page): Promise<string> {
  const made = await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers: { origin: demoUrl }, data: { name: `cut off ${Date.now()}`, permissions: ["chatflows:read"] } });
  expect(made.status()).toBe(201);
  return ((await made.json()) as { data: { key: string } }).data.key;
}

async function openPerson(page: Page, username: string): Promise<void> {
  await page.goto("/admin/people");
  await page.getByLabel("Search people").fill(`${username}@`);
  await expect(page.getByRole("row")).toHaveCount(2);
  await rowOf(page, username).getByRole("link", { name: username }).click();
  await expect(page.getByRole("heading", { level: 1, name: username })).toBeVisible();
}

test("ada cuts dis off, whose page and key die at once, keeps them out, and lets them back in", async ({ page, browser, request }) => {
  test.slow();
  const theirs = await browser.newContext({ baseURL: demoUrl });
  const dis = await theirs.newPage();
  await signIn(dis, "dis");
  await expect(dis).toHaveURL(/overview/);
  const key = await aKey(dis);
  const keyWorks = async () => (await request.get(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": key } })).status();
  expect(await keyWorks()).toBe(200);

  await signIn(page, "ada");
  await openPerson(page, "dis");
  await page.getByRole("button", { name: "Cut this person off …" }).click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog.getByRole("button", { name: "Cut off" })).toBeDisabled();
  await dialog.getByRole("checkbox", { name: /And keep them out/ }).click();
  await dialog.getByRole("textbox").fill("dis");
  await dialog.getByRole("button", { name: "Cut off" }).click();
  await expect(page.getByText("dis is cut off")).toBeVisible();
  await expect(page.getByText(/Ended: .*session.*key/)).toBeVisible();
  await expect(page.getByText("kept out", { exact: true })).toBeVisible();

  expect(await keyWorks()).toBe(401);
  await dis.goto("/keys");
  await expect(dis).toHaveURL(/sign-in/);

  await page.getByRole("button", { name: "Let back in" }).click();
  await expect(page.getByText("active", { exact: true }).first()).toBeVisible();
  await theirs.close();
  const again = await browser.newContext({ baseURL: demoUrl });
  const back = await again.newPage();
  await signIn(back, "dis");
  await expect(back).toHaveURL(/overview/);
  await again.close();
});

test("ada finds people by role and state, sorts them, and syncs with Keycloak", async ({ page }) => {
  await signIn(page, "ada");
  await page.getByRole("link", { name: "People", exact: true }).first().click();
  await expect(rowOf(page, "uma@acme.test")).toBeVisible();
  await page.getByRole("button", { name: "Sync with Keycloak" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Synced with Keycloak" })).toContainText(/\d+ people in Keycloak/);
  await expect(page.getByText(/Last synced/)).toBeVisible();
  await page.getByLabel("Role").selectOption("viewer");
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(rowOf(page, "vic")).toBeVisible();
  await page.getByLabel("Role").selectOption("all");
  await page.getByRole("button", { name: "Person" }).click();
  await expect(page).toHaveURL(/order=desc/);
  await expect(page.getByRole("columnheader", { name: "Person" })).toHaveAttribute("aria-sort", "descending");
  await page.getByLabel("Search people").fill("nobody is called this");
  await expect(page.getByText("Nobody matches")).toBeVisible();
});

test("the search field says what is listed, also to who comes to the list by another way", async ({ page }) => {
  await signIn(page, "ada");
  await page.goto("/admin/people");
  const field = page.getByLabel("Search people");
  await field.fill("uma@");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("link", { name: "People", exact: true }).first().click();
  await expect(rowOf(page, "ada@acme.test")).toBeVisible();
  await expect(field).toHaveValue("");
});

test("a choice on a slow answer keeps the word that was asked for a moment ago", async ({ page }) => {
  await signIn(page, "ada");
  await page.goto("/admin/people");
  const field = page.getByLabel("Search people");
  let [asked, answer] = [() => {}, () => {}];
  const isAsked = new Promise<void>((done) => { asked = done; });
  const isAnswered = new Promise<void>((done) => { answer = done; });
  await page.route(/\/admin\/people\?/, async (route) => {
    asked();
    await isAnswered;
    // The first may not be waited for any more.
    await route.continue().catch(() => undefined);
  });
  await field.fill("acme.test");
  await isAsked;
  await page.getByLabel("Role").selectOption("viewer");
  answer();
  await expect(page.getByRole("row")).toHaveCount(2);
  await expect(rowOf(page, "vic")).toBeVisible();
  await expect(page).toHaveURL(/\?q=acme\.test&role=viewer$/);
  await expect(field).toHaveValue("acme.test");
});

test("uma sees no people but herself", async ({ page }) => {
  await signIn(page, "uma");
  await expect(page.getByRole("link", { name: "People", exact: true })).toHaveCount(0);
  for (const path of ["/admin/people", "/admin/people/018f0000-0000-7000-8000-000000000000"]) {
    expect((await page.goto(path))?.status()).toBe(404);
    await expect(page.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
    await expect(page.getByRole("row")).toHaveCount(0);
  }
});

test("people have no accessibility fault, and fit a phone", async ({ page }) => {
  test.slow();
  await signIn(page, "ada");
  await page.goto("/admin/people");
  await expect(rowOf(page, "uma@acme.test")).toBeVisible();
  await expectAccessible(page, "list");
  await openPerson(page, "uma");
  await expectAccessible(page, "person");
  await page.setViewportSize({ width: 360, height: 780 });
  await expectFits(page, "person");
  await page.getByRole("button", { name: "Cut this person off …" }).click();
  await expect(page.getByRole("alertdialog").getByRole("textbox")).toBeFocused();
  await expectAccessible(page, "cut off");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await page.goto("/admin/people");
  await expect(page.getByRole("heading", { level: 1, name: "People" })).toBeVisible();
  await expectFits(page, "list");
});
