import { createHash } from "node:crypto";
import { decode } from "@auth/core/jwt";
import { type Page } from "@playwright/test";
import { Redis } from "ioredis";
import { demoUrl, enterPassword, signIn } from "./people";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

const { demo, env } = stackInfo();
// Two browsers through several sign-ins each.
test.describe.configure({ timeout: 180_000 });
const password = (username: string) => demo.users.find((user) => user.username === username)?.password ?? "";

test("uma sees where she is signed in, signs the other browser out, and there Keycloak asks for the password again", async ({ page, browser }) => {
  const other = await (await browser.newContext({ userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" })).newPage();
  await signIn(other, "uma", `${demoUrl}/sign-in`);
  await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
  await signIn(page, "uma");
  await page.getByRole("link", { name: "Sessions" }).first().click();
  const rows = page.getByRole("row");
  await expect(rows.nth(1)).toContainText("This device");
  const theirs = rows.filter({ hasText: "Firefox 140 on Linux" }).first();
  await theirs.getByRole("button", { name: /^Sign out/ }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page.getByText("Firefox 140 on Linux is signed out")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Sessions", exact: true })).toBeVisible();

  await other.goto(`${demoUrl}/keys`);
  await expect(other.getByText("Your session has ended")).toBeVisible();
  await other.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await other.getByLabel("Password", { exact: true }).fill(password("uma"));
  await other.getByRole("button", { name: "Sign In", exact: true }).click();
  await expect(other).toHaveURL(/\/keys/);
  await other.context().close();
});

test("vic signs out everywhere: the other browser too, and here Keycloak asks who it is", async ({ page, browser }) => {
  const other = await (await browser.newContext()).newPage();
  await signIn(other, "vic", `${demoUrl}/sign-in`);
  await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
  await signIn(page, "vic");
  await page.goto("/sessions");
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page).toHaveURL(/\/signed-out/);
  // Nobody can tell which came first, where somebody signs in within the second of that.
  const signedOutIn = Math.floor(Date.now() / 1000);
  await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThan(signedOutIn);
  await other.goto(`${demoUrl}/overview`);
  await expect(other.getByText("Your session has ended")).toBeVisible();
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await enterPassword(page, "vic");
  await expect(page).toHaveURL(/\/overview/);
  await other.context().close();
});

test("ada, who signed in a while ago, confirms that it is her before she makes a plan, and finds again what she typed", async ({ page }) => {
  const name = `Confirmed ${Date.now().toString(36)}`;
  await signIn(page, "ada");
  await page.goto("/admin/plans");
  await age(page);
  await page.getByRole("button", { name: "Create plan" }).click();
  const form = page.getByRole("dialog", { name: /plan/i });
  await form.getByLabel("Name").fill(name);
  await form.getByRole("button", { name: "Create plan" }).click();
  const question = page.getByRole("dialog", { name: "Confirm that it is you" });
  await expect(question).toBeVisible();
  await question.getByRole("link", { name: "Go to Keycloak" }).click();
  await expect(page.getByText("Thank you, that was you")).toBeVisible();
  await expect(page).toHaveURL(/\/admin\/plans$/);
  await page.getByRole("button", { name: "Create plan" }).click();
  await expect(form.getByLabel("Name")).toHaveValue(name);
  await form.getByRole("button", { name: "Create plan" }).click();
  await expect(page.getByRole("row").filter({ hasText: name })).toBeVisible();
});

test("ada, sent to Keycloak from a question that has no form, finds again whom she keeps out and what she imports; what may be a key stands in no storage", async ({ page }) => {
  const line = `sha256,name,user,tenant,permissions\n${createHash("sha256").update(String(Date.now())).digest("hex")},of old,uma,acme,read`;
  const confirm = async () => {
    await page.getByRole("dialog", { name: "Confirm that it is you" }).getByRole("link", { name: "Go to Keycloak" }).click();
    await expect(page.getByText("Thank you, that was you")).toBeVisible();
  };
  await signIn(page, "ada");
  await page.goto("/admin/people?q=dis%40");
  await page.getByRole("row").filter({ hasText: "dis" }).getByRole("link", { name: "dis" }).click();
  const question = page.getByRole("alertdialog");
  const keepOut = question.getByRole("checkbox", { name: /And keep them out/ });
  const ask = () => page.getByRole("button", { name: "Cut this person off …" }).click();
  await ask();
  await expect(keepOut).not.toBeChecked();
  await age(page);
  await keepOut.click();
  await question.getByRole("checkbox", { name: /API keys/ }).click();
  await question.getByRole("textbox").fill("dis");
  await question.getByRole("button", { name: "Cut off" }).click();
  await confirm();
  await ask();
  await expect(keepOut).toBeChecked();
  await expect(question.getByRole("checkbox", { name: /API keys/ })).not.toBeChecked();
  await expect(question.getByRole("button", { name: "Cut off" })).toBeDisabled();

  await page.goto("/admin/keys");
  const text = page.getByRole("dialog").getByLabel("Or paste CSV or JSON");
  const preview = async (pasted: string) => {
    await page.getByRole("button", { name: "Import keys" }).click();
    await age(page);
    await text.fill(pasted);
    await page.getByRole("dialog").getByRole("button", { name: "Preview" }).click();
    await expect(page.getByRole("dialog", { name: "Confirm that it is you" })).toBeVisible();
  };
  await preview(line);
  await confirm();
  await page.getByRole("button", { name: "Import keys" }).click();
  await expect(text).toHaveValue(line);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Discard" }).click();
  await preview(line.replace(/[0-9a-f]{64}/, "slk_0123456789abcdefghijklmnopqrstuvwxyz"));
  expect(await page.evaluate(() => JSON.stringify(window.sessionStorage))).not.toContain("slk_0123");
});

test("the sign-in page leads to Keycloak's own page for who forgot the password", async ({ page }) => {
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Forgot your password?" }).click();
  await expect(page.getByLabel("Username or email")).toBeVisible();
});

/** As if the page's person had signed in an hour ago. */
async function age(page: Page): Promise<void> {
  const token = (await page.context().cookies(demoUrl)).find((cookie) => cookie.name === "sluice.session")?.value ?? "";
  const payload = await decode({ token, secret: env?.AUTH_SECRET ?? "", salt: "sluice.session" });
  const redis = new Redis(env?.REDIS_URL ?? "");
  await redis.hincrby(`sl:s:{${createHash("sha256").update(String(payload?.h)).digest("base64url")}}:m`, "auth_time", -3600);
  redis.disconnect();
}
