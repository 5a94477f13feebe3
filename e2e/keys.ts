import { type APIRequestContext, type Page } from "@playwright/test";
import { demoUrl } from "./people";
import { expect, test } from "./test";

/** The error code of an answer. */
export const code = async (answer: { json: () => Promise<unknown> }) => ((await answer.json()) as { code?: string }).code;

/** As a program would ask. */
export const call = (request: APIRequestContext, secret: string, path = "/api/v1/auth/me") => request.get(`${demoUrl}${path}`, { headers: { "x-api-key": secret } });

export async function openForm(page: Page) {
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  return page.getByRole("dialog");
}

/** Creates a key by the form and hands back its secret. */
export async function createKey(page: Page, name: string): Promise<string> {
  const dialog = await openForm(page);
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Create key" }).click();
  return takeSecret(page);
}

/** The secret that is shown once, copied so that the dialog lets go. */
export async function takeSecret(page: Page): Promise<string> {
  const dialog = page.getByRole("dialog");
  const secret = await dialog.getByTestId("secret").innerText();
  await dialog.getByRole("button", { name: "Copy", exact: true }).first().click();
  await dialog.getByRole("button", { name: "Done" }).click();
  await expect(dialog).toBeHidden();
  return secret;
}

export const rowOf = (page: Page, name: string) => page.getByRole("row").filter({ hasText: name });

export async function openKey(page: Page, name: string) {
  await page.goto(`/keys?q=${encodeURIComponent(name)}`);
  await page.getByRole("link", { name, exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

/** For each spec that makes keys. */
export function keepKeysTidy(): void {
  test.beforeEach(async ({ context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  });

  /** A person may have ten keys: each test takes its own away again. All names carry the instant of their test. */
  test.afterEach(async ({ page }) => {
    const listed = await page.request.get(`${demoUrl}/api/v1/auth/api-keys?limit=100`);
    if (!listed.ok()) return;
    const { data } = (await listed.json()) as { data: { id: string; name: string; status: string }[] };
    for (const key of data.filter((each) => each.status !== "revoked" && /\d{13}/.test(each.name))) {
      await page.request.delete(`${demoUrl}/api/v1/auth/api-keys/${key.id}`, { headers: { origin: demoUrl } });
    }
  });
}
