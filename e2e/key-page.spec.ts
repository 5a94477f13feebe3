import { call, code, createKey, keepKeysTidy, openForm, openKey, takeSecret } from "./keys";
import { signIn } from "./people";
import { expect, test } from "./test";

keepKeysTidy();

test("a key is limited to a chatflow and to addresses; faulty lines are named", async ({ page, request }) => {
  await signIn(page, "uma");
  const name = `bounded ${Date.now()}`;
  const dialog = await openForm(page);
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Read only" }).click();
  await expect(dialog.getByRole("button", { name: "Read only" })).toHaveAttribute("aria-pressed", "true");
  await expect(dialog.getByRole("checkbox", { name: /Talk to the chatflows/ })).not.toBeChecked();
  await dialog.getByRole("button", { name: "Chat only" }).click();
  await expect(dialog.getByRole("checkbox", { name: /Talk to the chatflows/ })).toBeChecked();
  await dialog.getByRole("radio", { name: "Only these" }).click();
  await dialog.getByRole("checkbox", { name: /Support assistant/ }).first().click();

  await dialog.getByLabel("Addresses it may call from").fill("192.0.2.1\n\nnot-an-address\n10.0.0.0/33");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByText("Line 3: “not-an-address”")).toBeVisible();
  await expect(dialog.getByText("Line 4: “10.0.0.0/33”")).toBeVisible();
  await expect(dialog.getByLabel("Addresses it may call from")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Addresses it may call from").fill("192.0.2.1");
  await dialog.getByRole("button", { name: "Create key" }).click();
  const secret = await takeSecret(page);
  const elsewhere = await call(request, secret);
  expect(elsewhere.status()).toBe(403);
  expect(await code(elsewhere)).toBe("ip_not_allowed");

  // The address that one has now is a click away, and the change is told before it is made.
  await openKey(page, name);
  await expect(page.getByText("192.0.2.1")).toBeVisible();
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("button", { name: /Add your address now/ }).click();
  await expect(page.getByText(/^Also from /)).toBeVisible();
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("button", { name: "Change", exact: true })).toBeFocused();
  // Asked from where the browser is, whichever of localhost's addresses that be; the key counts, not the session that rides along.
  const flows = await page.evaluate(async (key) => {
    const answer = await fetch("/api/v1/chatflows", { headers: { "x-api-key": key } });
    return ((await answer.json()) as { name: string }[]).map((flow) => flow.name);
  }, secret);
  expect(flows).toEqual([expect.stringMatching(/Support assistant/)]);
});

test("uma changes a key: what will change is said, what the server refuses stands at its field, and the rest stays", async ({ page, request }) => {
  await signIn(page, "uma");
  const name = `edited ${Date.now()}`;
  const secret = await createKey(page, name);
  await openKey(page, name);
  await page.getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("Nothing is changed yet.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save changes" })).toBeDisabled();
  await page.getByLabel("Name").fill(`${name} anew`);
  await page.getByLabel("Calls at most").fill("7");
  await page.getByRole("checkbox", { name: /Read NFlow/ }).click();
  await expect(page.getByText(`It is called “${name} anew” instead of “${name}”.`)).toBeVisible();
  await expect(page.getByText(/7 calls per hour instead of 1,000 calls per hour/)).toBeVisible();
  await expect(page.getByText("New: it may read NFlow applications.")).toBeVisible();
  await page.getByRole("button", { name: "Save changes" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `${name} anew` })).toBeVisible();
  const me = await call(request, secret);
  expect(me.headers()["x-ratelimit-limit"]).toBe("7");
  expect(((await me.json()) as { data: { permissions: string[] } }).data.permissions).toContain("nflow:read");
});

test("a new secret with overlap: both work, who calls with the old one is shown, and ending it refuses the old one", async ({ page, request }) => {
  await signIn(page, "uma");
  const name = `turning ${Date.now()}`;
  const old = await createKey(page, name);
  await openKey(page, name);
  const rotate = page.getByRole("button", { name: "Rotate …" });
  // Thinking better of it reads the rotation, whose answer may have been lost, and not the whole page with all that it leads to.
  let pagesRead = 0;
  page.on("request", (sent) => { if (new URL(sent.url()).searchParams.has("_rsc")) pagesRead++; });
  await rotate.click();
  await expect(page.getByRole("radio", { name: "For a day" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  pagesRead = 0;
  const isRead = page.waitForResponse(/\/rotation$/);
  await page.keyboard.press("Escape");
  await isRead;
  await rotate.click();
  await page.getByRole("radio", { name: "For a day" }).click();
  expect(pagesRead).toBe(0);
  await page.getByRole("button", { name: "Rotate key" }).click();
  const fresh = await takeSecret(page);
  expect(fresh).not.toBe(old);
  await expect(page.getByText("The old secret stops working")).toBeVisible();
  for (const secret of [old, fresh]) expect((await call(request, secret)).status()).toBe(200);
  await expect(page.getByText("It was last used")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("list", { name: "Who still calls with it" }).getByRole("listitem")).toContainText("1 call");

  await page.getByRole("button", { name: "End it now" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "End it now" }).click();
  await expect(page.getByRole("button", { name: "Rotate …" })).toBeVisible();
  const refused = await call(request, old);
  expect(refused.status()).toBe(401);
  expect(await code(refused)).toBe("key_rotated");
  expect((await call(request, fresh)).status()).toBe(200);
});

test("a key is disabled and enabled on its page, and revoked there by its name", async ({ page, request }) => {
  await signIn(page, "uma");
  const name = `stopped ${Date.now()}`;
  const secret = await createKey(page, name);
  await openKey(page, name);
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Disable key" }).click();
  await expect(page.getByRole("button", { name: "Enable" })).toBeVisible();
  expect(await code(await call(request, secret))).toBe("key_disabled");
  await page.getByRole("button", { name: "Enable" }).click();
  await expect(page.getByRole("button", { name: "Disable" })).toBeVisible();
  expect((await call(request, secret)).status()).toBe(200);
  await page.getByRole("button", { name: "Revoke …" }).click();
  await page.getByRole("alertdialog").getByRole("textbox").fill(name);
  await page.keyboard.press("Enter");
  await expect(page.getByText("that cannot be undone")).toBeVisible();
  expect(await code(await call(request, secret))).toBe("key_revoked");
});

test("a confirmation that is typed and sent twice is carried out once", async ({ page }) => {
  await signIn(page, "uma");
  const name = `twice ${Date.now()}`;
  await createKey(page, name);
  await openKey(page, name);
  let sent = 0;
  let answer = () => {};
  const pressedTwice = new Promise<void>((done) => { answer = done; });
  await page.route("**/keys/**", async (route) => {
    if (route.request().headers()["next-action"]) {
      sent += 1;
      await pressedTwice;
    }
    await route.continue();
  });
  await page.getByRole("button", { name: "Revoke …" }).click();
  const field = page.getByRole("alertdialog").getByRole("textbox");
  await field.fill(name);
  await field.press("Enter");
  await field.press("Enter");
  answer();
  await expect(page.getByText("that cannot be undone")).toBeVisible();
  await page.reload();
  expect(sent).toBe(1);
});
