import { expect, type Page } from "@playwright/test";
import { stackInfo } from "./stack";

const { demo } = stackInfo();

export const demoUrl = demo.url;

/** Signs in through Keycloak's pages, as a person does. */
export async function signIn(page: Page, username: string, from = "/sign-in"): Promise<void> {
  await page.goto(from);
  await page.getByRole("button", { name: "Sign in with Keycloak" }).click();
  await enterPassword(page, username);
}

export async function enterPassword(page: Page, username: string): Promise<void> {
  const user = demo.users.find((u) => u.username === username);
  if (!user) throw new Error(`no demo person ${username}`);
  await page.getByLabel("Username or email").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(user.password);
  await page.getByRole("button", { name: "Sign In", exact: true }).click();
}

/** Gives machine access from wherever the portal asks for it; signs in again or agrees only where Keycloak asks. */
export async function giveMachineAccess(page: Page): Promise<void> {
  await page.goto("/machine-access");
  await page.getByRole("link", { name: /^(Give machine access|Renew)$/ }).first().click();
  const consent = page.getByRole("heading", { name: /Grant Access to/ });
  const back = page.getByRole("heading", { name: "Machine access", exact: true });
  await expect(consent.or(back)).toBeVisible();
  if (await consent.isVisible()) await page.getByRole("button", { name: "Yes" }).click();
  await expect(page).toHaveURL(/\/machine-access/);
  await expect(page.getByText("Active", { exact: true }).first()).toBeVisible();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account of/ }).first().click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/signed-out/);
}

/** Ticks a box of a page that was just opened: a long list takes a moment until it listens. */
export async function tick(page: Page, name: string): Promise<void> {
  const box = page.getByRole("checkbox", { name });
  await expect(async () => {
    if (!(await box.isChecked())) await box.click();
    await expect(box).toBeChecked({ timeout: 500 });
  }).toPass();
}

/** What an administrator of the realm does, or what goes wrong there; the identity provider of these tests takes it as an order. */
export async function order(wanted: object): Promise<void> {
  const answer = await fetch(`${new URL(demo.issuer).origin}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wanted) });
  expect(answer.status, await answer.text()).toBe(200);
}
