import { expectAccessible, expectFits } from "./accessibility";
import { demoUrl, signIn, tick } from "./people";
import { expect, test } from "./test";

const publicPages = ["/", "/sign-in", "/signed-out", "/status", "/docs", "/docs/keys", "/docs/errors", "/docs/errors/rate_limited", "/docs/tokens"];
const portalPages = ["/overview", "/keys", "/machine-access", "/chatflows", "/nflow", "/usage", "/requests", "/sessions", "/tokens"];

/** A key with every restriction, for the time of a test. */
async function aKey(page: import("@playwright/test").Page): Promise<{ id: string; name: string; remove: () => Promise<void> }> {
  const headers = { origin: demoUrl };
  const name = `face ${Date.now()}`;
  const made = await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers, data: { name, description: "To be looked at", permissions: ["read"], allowedIps: ["10.0.0.0/8", "2001:db8::/48"], expiresIn: 5 * 86_400 } });
  expect(made.status()).toBe(201);
  const { id } = ((await made.json()) as { data: { id: string } }).data;
  return { id, name, remove: async () => void (await page.request.delete(`${demoUrl}/api/v1/auth/api-keys/${id}`, { headers })) };
}

test("public pages have no accessibility fault", async ({ page }) => {
  for (const path of publicPages) {
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await expectAccessible(page, path);
  }
});

test("portal pages have no accessibility fault", async ({ page }) => {
  await signIn(page, "uma");
  for (const path of portalPages) {
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await expectAccessible(page, path);
  }
});

test("the page of a key, its forms and its questions have no accessibility fault", async ({ page }) => {
  // Seven faces are judged here, one after the other, each as long as a page of the tests above.
  test.slow();
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const key = await aKey(page);
  await page.goto(`/keys/${key.id}`);
  await expect(page.getByRole("heading", { level: 1, name: key.name })).toBeVisible();
  await expectAccessible(page, "facts");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("radio", { name: "Only these" }).click();
  await page.getByLabel("Addresses it may call from").fill("nowhere");
  await page.getByLabel("Name").focus();
  await expect(page.getByText("Line 1: “nowhere”")).toBeVisible();
  await expectAccessible(page, "settings");
  await page.getByRole("button", { name: "Cancel" }).click();
  for (const [opens, role] of [["Rotate …", "dialog"], ["Revoke …", "alertdialog"]] as const) {
    await page.getByRole("button", { name: opens }).click();
    await expect(page.getByRole(role).getByRole("button", { name: /Rotate key|Revoke key/ })).toBeVisible();
    await expectAccessible(page, opens);
    await page.keyboard.press("Escape");
    await expect(page.getByRole(role)).toBeHidden();
  }
  await page.goto("/keys");
  await tick(page, `Select ${key.name}`);
  await expect(page.getByRole("region", { name: "Selected keys" })).toBeVisible();
  await expectAccessible(page, "selection");
  await page.getByRole("button", { name: "Create key" }).first().click();
  await expect(page.getByRole("dialog").getByLabel("Name")).toBeVisible();
  await expectAccessible(page, "create");
  await key.remove();
  await page.goto(`/keys/${key.id}`);
  await expect(page.getByText("that cannot be undone")).toBeVisible();
  await expectAccessible(page, "revoked");
});

test("on a phone nothing is wider than the screen, and the menu opens", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const key = await aKey(page);
  for (const path of [...portalPages, `/keys/${key.id}`]) {
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    await expectFits(page, path);
  }
  await page.getByRole("button", { name: "Change" }).click();
  await expect(page.getByLabel("Name")).toBeVisible();
  await expectFits(page, "settings");
  await key.remove();
  await page.getByRole("button", { name: /menu/i }).click();
  // The page behind it may by now say where the other keys are.
  await page.getByRole("dialog").getByRole("link", { name: "API keys" }).click();
  await expect(page).toHaveURL(/\/keys/);
});

test("pages carry a policy with a nonce, and nothing on them breaks it", async ({ page }) => {
  const broken: string[] = [];
  page.on("console", (message) => { if (/Content Security Policy|hydrat/i.test(message.text())) broken.push(message.text()); });
  page.on("pageerror", (error) => broken.push(error.message));
  const response = await page.goto("/");
  const policy = response!.headers()["content-security-policy"] ?? "";
  for (const part of ["'nonce-", "'strict-dynamic'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) expect(policy).toContain(part);
  expect(policy).not.toContain("unsafe-eval");
  expect(response!.headers()["x-powered-by"]).toBeUndefined();
  await signIn(page, "uma");
  for (const path of portalPages) {
    await page.goto(path, { waitUntil: "networkidle" });
  }
  expect(broken).toEqual([]);
});

test("server actions refuse a direct POST without our Origin", async ({ page }) => {
  await signIn(page, "uma");
  await page.goto("/keys");
  let actionId = "";
  page.on("request", (request) => { actionId ||= request.headers()["next-action"] ?? ""; });
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill(`origin ${Date.now()}`);
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await expect(page.getByTestId("secret")).toBeVisible();
  expect(actionId).not.toBe("");
  // What is done by hand counts like a call: the second of two looks has one action and itself less.
  const left = async () => Number((await page.request.get("/api/v1/auth/me")).headers()["x-ratelimit-remaining"]);
  const before = await left();
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill(`counted ${Date.now()}`);
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await expect(page.getByTestId("secret")).toBeVisible();
  expect(before - (await left())).toBeGreaterThanOrEqual(2);

  const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const base = new URL(page.url()).origin;
  for (const origin of [undefined, "https://evil.test"]) {
    const headers: Record<string, string> = { "next-action": actionId, "content-type": "text/plain;charset=UTF-8", accept: "text/x-component", cookie, ...(origin && { origin }) };
    const response = await fetch(`${base}/keys`, { method: "POST", headers, body: JSON.stringify([{ name: "forged" }]) });
    const text = await response.text();
    expect(text).not.toContain("slk_");
    if (response.ok) expect(text).toContain("cross_origin");
  }
});
