import { call, code, createKey, keepKeysTidy, openForm, openKey, rowOf } from "./keys";
import { demoUrl, giveMachineAccess, signIn, tick } from "./people";
import { expect, test } from "./test";

keepKeysTidy();

test("uma gives machine access, creates a key, sees it once, calls with it, finds it in the list and revokes it by its name", async ({ page, request }) => {
  await signIn(page, "uma");
  await giveMachineAccess(page);

  const dialog = await openForm(page);
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

  const row = rowOf(page, name);
  await expect(row).toContainText(`${secret.slice(0, 8)}…${secret.slice(-4)}`);
  expect(await page.content()).not.toContain(secret);
  await page.reload();
  expect(await page.content()).not.toContain(secret);

  const me = await call(request, secret);
  expect(me.status()).toBe(200);
  expect(me.headers()["x-ratelimit-limit"]).toBe("50");
  const flows = (await (await call(request, secret, "/api/v1/chatflows")).json()) as { id: string; name: string }[];
  expect(flows.length).toBeGreaterThan(0);
  // The table refreshes itself.
  await expect(row.getByRole("cell", { name: "2", exact: true })).toBeVisible({ timeout: 20_000 });

  await row.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const confirm = page.getByRole("alertdialog");
  await expect(confirm).toContainText(secret.slice(-4));
  await expect(confirm.getByRole("button", { name: "Revoke key" })).toBeDisabled();
  await confirm.getByRole("textbox").fill(name.slice(0, -1));
  await expect(confirm.getByRole("button", { name: "Revoke key" })).toBeDisabled();
  await confirm.getByRole("textbox").fill(name);
  await confirm.getByRole("button", { name: "Revoke key" }).click();
  await expect(confirm).toBeHidden();
  await expect(row).toContainText(/revoked/i);
  const refused = await call(request, secret);
  expect(refused.status()).toBe(401);
  expect(await code(refused)).toBe("key_revoked");

  // Its page is there to be read, says why it ended, and offers nothing.
  await openKey(page, name);
  await expect(page.getByText("that cannot be undone")).toBeVisible();
  for (const button of ["Change", "Rotate …", "Revoke …", "Disable"]) await expect(page.getByRole("button", { name: button })).toHaveCount(0);
});

test("the list is sorted by the server, the URL keeps it, and several keys are revoked at once", async ({ page, request }) => {
  await signIn(page, "uma");
  const batch = `batch${Date.now()}`;
  const secrets: string[] = [];
  for (const letter of ["b", "C", "a"]) secrets.push(await createKey(page, `${letter} ${batch}`));
  await page.goto(`/keys?q=${batch}`);
  const names = page.getByRole("link", { name: new RegExp(batch) });
  await expect(names).toHaveText([`a ${batch}`, `C ${batch}`, `b ${batch}`]);
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(names).toHaveText([`a ${batch}`, `b ${batch}`, `C ${batch}`]);
  await expect(page.getByRole("columnheader", { name: "Name" })).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await expect(names).toHaveText([`C ${batch}`, `b ${batch}`, `a ${batch}`]);
  await page.reload();
  await expect(names).toHaveText([`C ${batch}`, `b ${batch}`, `a ${batch}`]);

  await tick(page, `Select b ${batch}`);
  await tick(page, `Select C ${batch}`);
  await page.getByRole("region", { name: "Selected keys" }).getByRole("button", { name: "Revoke …" }).click();
  const confirm = page.getByRole("alertdialog");
  await expect(confirm.getByRole("listitem")).toHaveCount(2);
  await expect(confirm.getByRole("button", { name: "Revoke 2 keys" })).toBeDisabled();
  await confirm.getByRole("textbox").fill("revoke 2 keys");
  await confirm.getByRole("button", { name: "Revoke 2 keys" }).click();
  await expect(confirm).toBeHidden();
  await expect(rowOf(page, `b ${batch}`)).toContainText("revoked");
  const [b, c, a] = secrets as [string, string, string];
  for (const secret of [b, c]) expect(await code(await call(request, secret))).toBe("key_revoked");
  expect((await call(request, a)).status()).toBe(200);
  await tick(page, `Select a ${batch}`);
  await page.getByRole("button", { name: "Revoke …" }).click();
  await confirm.getByRole("textbox").fill("revoke 1 key");
  await page.keyboard.press("Enter");
  await expect(confirm).toBeHidden();
});

test("the form says what is wrong beside the field, and keeps what was typed", async ({ page }) => {
  await signIn(page, "uma");
  const dialog = await openForm(page);
  await dialog.getByLabel("Description").fill("kept");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
  await expect(dialog.getByLabel("Description")).toHaveValue("kept");
});

test("another person's key is not there", async ({ page, browser }) => {
  await signIn(page, "uma");
  const name = `hers ${Date.now()}`;
  await createKey(page, name);
  await openKey(page, name);
  const url = page.url();
  const other = await (await browser.newContext()).newPage();
  await signIn(other, "ada");
  await expect(other).toHaveURL(/overview/);
  for (const path of [url, `${demoUrl}/keys/nonsense`]) {
    await other.goto(path);
    await expect(other.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
    await expect(other.getByText(name)).toHaveCount(0);
  }
});

test("vic, a viewer, may look and change nothing, by hand or by a direct POST of what uma's page sent", async ({ page, browser }) => {
  await signIn(page, "uma");
  let actionId = "";
  page.on("request", (request) => { if (request.method() === "POST") actionId ||= request.headers()["next-action"] ?? ""; });
  await createKey(page, `seen ${Date.now()}`);
  expect(actionId).not.toBe("");

  const vic = await (await browser.newContext()).newPage();
  await signIn(vic, "vic");
  await vic.goto(`${demoUrl}/keys`);
  await expect(vic.getByRole("heading", { name: "API keys" })).toBeVisible();
  await expect(vic.getByRole("button", { name: "Create key" })).toHaveCount(0);
  const cookie = (await vic.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const answer = await fetch(`${demoUrl}/keys`, { method: "POST", headers: { "next-action": actionId, "content-type": "text/plain;charset=UTF-8", accept: "text/x-component", origin: demoUrl, cookie }, body: JSON.stringify([{ name: "forged" }]) });
  const text = await answer.text();
  expect(text).toContain("insufficient_permission");
  expect(text).not.toContain("slk_");
  const own = await vic.request.get(`${demoUrl}/api/v1/auth/api-keys`);
  // An administrator may have made keys for her; this one is not among them.
  expect(((await own.json()) as { data: { name: string }[] }).data.map((key) => key.name)).not.toContain("forged");
});
