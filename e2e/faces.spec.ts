import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { signIn } from "./people";

const publicPages = ["/", "/sign-in", "/signed-out", "/docs", "/docs/keys", "/docs/errors", "/docs/errors/rate_limited"];
const portalPages = ["/overview", "/keys", "/machine-access", "/chatflows", "/nflow", "/usage", "/requests"];

async function violations(page: import("@playwright/test").Page): Promise<string[]> {
  const result = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme}`, () => {
    test.use({ colorScheme });

    test("public pages have no accessibility fault", async ({ page }) => {
      for (const path of publicPages) {
        await page.goto(path);
        await expect(page.getByRole("heading").first()).toBeVisible();
        expect(await violations(page), path).toEqual([]);
      }
    });

    test("portal pages have no accessibility fault", async ({ page }) => {
      await signIn(page, "uma");
      for (const path of portalPages) {
        await page.goto(path);
        await expect(page.getByRole("heading").first()).toBeVisible();
        expect(await violations(page), path).toEqual([]);
      }
    });
  });
}

test("on a phone nothing is wider than the screen, and the menu opens", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await signIn(page, "uma");
  for (const path of portalPages) {
    await page.goto(path);
    await expect(page.getByRole("heading").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), path).toBeLessThanOrEqual(0);
  }
  await page.getByRole("button", { name: /menu/i }).click();
  await page.getByRole("link", { name: "API keys" }).last().click();
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
