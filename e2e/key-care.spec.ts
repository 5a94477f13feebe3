import { type Page } from "@playwright/test";
import pg from "pg";
import { call, code, keepKeysTidy, rowOf } from "./keys";
import { demoUrl, signIn } from "./people";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

keepKeysTidy();
// Two keys each and several pages, on a machine that may be busy.
test.describe.configure({ timeout: 120_000 });

async function make(page: Page, name: string, more: object = {}): Promise<{ id: string; key: string }> {
  const made = await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers: { origin: demoUrl }, data: { name, permissions: ["chatflows:read"], ...more } });
  expect(made.status()).toBe(201);
  return ((await made.json()) as { data: { id: string; key: string } }).data;
}

/** Months pass in the database, not in the test. */
async function setTime(id: string, column: "secretSince" | "expiresAt", at: Date): Promise<void> {
  const client = new pg.Client({ connectionString: stackInfo().demo.databaseUrl });
  await client.connect();
  await client.query(`UPDATE "ApiKey" SET "${column}" = $2 WHERE id = $1`, [id, at]);
  await client.end();
}

test("uma finds her keys by what she types and by their state, and is reminded of those that soon end or are old", async ({ page }) => {
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const [ending, old] = [`ending ${Date.now()}`, `old ${Date.now()}`];
  await make(page, ending, { expiresIn: 5 * 86_400 });
  const { id } = await make(page, old);
  await setTime(id, "secretSince", new Date(Date.now() - 91 * 86_400_000));
  await page.request.patch(`${demoUrl}/api/v1/auth/api-keys/${(await make(page, `off ${Date.now()}`)).id}`, { headers: { origin: demoUrl }, data: { isActive: false } });

  await page.goto("/keys");
  await expect(rowOf(page, ending)).toContainText("expires soon");
  await expect(rowOf(page, old)).toContainText("rotate");
  const search = page.getByRole("searchbox", { name: /Search keys/ });
  await search.fill(ending);
  await expect(rowOf(page, ending)).toBeVisible();
  await expect(rowOf(page, old)).toHaveCount(0);
  await expect(page).toHaveURL(/q=ending/);
  await page.getByRole("combobox", { name: "Status" }).selectOption("Disabled");
  await expect(page.getByRole("heading", { name: "No key matches" })).toBeVisible();
  await search.fill("off ");
  await expect(rowOf(page, "off ")).toHaveCount(1);
  await expect(rowOf(page, ending)).toHaveCount(0);
  await expect(page).toHaveURL(/status=disabled/);
  await search.fill("no such key");
  await page.getByRole("button", { name: "Show all keys" }).click();
  await expect(rowOf(page, old)).toBeVisible();
  await rowOf(page, old).getByRole("link", { name: old }).click();
  await expect(page.getByText(`The secret of “${old}” is older than 90 days`)).toBeVisible();
  await page.goto("/overview");
  await expect(page.getByText(new RegExp(`Key “${ending}” expires soon|keys expire soon`))).toBeVisible();
});

test("the page of a key draws what it did, and what if is asked about another address and another time", async ({ page }) => {
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const name = `drawn ${Date.now()}`;
  const { id, key } = await make(page, name, { allowedIps: ["127.0.0.0/8", "::1"], expiresIn: 5 * 86_400 });
  for (let i = 0; i < 4; i++) expect((await fetch(`${demoUrl}/api/v1/auth/me`, { headers: { "x-api-key": key } })).status).toBe(200);
  const requestId = `drawn-${Date.now()}`;
  expect((await fetch(`${demoUrl}/api/v1/nflow/builder/apps/search`, { method: "POST", headers: { "x-api-key": key, "x-request-id": requestId, "content-type": "application/json" }, body: "{}" })).status).toBe(403);

  await page.goto(`/keys/${id}`);
  const total = (label: string) => page.locator("dl > div").filter({ has: page.getByText(label, { exact: true }) }).locator("dd").first();
  await expect(total("Requests")).toHaveText("4", { timeout: 30_000 });
  await expect(total("Refused")).toHaveText("1");
  await expect(page.locator(".recharts-surface").first()).toBeVisible();
  await page.getByRole("combobox", { name: "Time" }).selectOption("Last 30 days");
  await expect(total("Requests")).toHaveText("4");
  await expect(page.locator(".recharts-surface").first()).toBeVisible();

  await page.goto(`/requests/${requestId}`);
  await page.getByLabel("Needing").selectOption("chatflows:read");
  await page.getByLabel("From address").fill("127.0.0.9");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The call would be admitted")).toBeVisible();
  await page.getByLabel("From address").fill("192.0.2.7");
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The call came from an address that is not on the key's list")).toBeVisible();
  await expect(page.getByText("192.0.2.7", { exact: true })).toBeVisible();
  await page.getByLabel("From address").fill("127.0.0.9");
  await page.getByLabel("At", { exact: true }).fill(`${new Date(Date.now() + 6 * 86_400_000).toISOString().slice(0, 10)}T12:00`);
  await page.getByRole("button", { name: "Ask" }).click();
  await expect(page.getByText("The key had expired")).toBeVisible();
});

test.describe("where a day begins long before UTC's", () => {
  test.use({ timezoneId: "Pacific/Kiritimati" });

  test("uma gives an expired key a later expiry, and it works again; until then it has no other secret to offer", async ({ page, request }) => {
    await signIn(page, "uma");
    await expect(page).toHaveURL(/overview/);
    const { id, key } = await make(page, `over ${Date.now()}`);
    await setTime(id, "expiresAt", new Date("2026-03-09T20:00:00Z"));
    expect(await code(await call(request, key))).toBe("key_expired");
    await page.goto(`/keys/${id}`);
    await expect(page.getByText("until it gets a later expiry")).toBeVisible();
    await expect(page.getByRole("button", { name: "Rotate …" })).toHaveCount(0);
    await page.getByRole("button", { name: "Change" }).click();
    const expires = page.getByLabel("Expires");
    await expect(expires.getByRole("option", { name: "As it is (expired March 10, 2026)" })).toBeAttached();
    await expires.selectOption("In 30 days");
    await expect(page.getByText(/It expires on .*, before: March 10, 2026\./)).toBeVisible();
    await page.getByRole("button", { name: "Save changes" }).click();
    await expect(page.getByText("active", { exact: true })).toBeVisible();
    expect((await call(request, key)).status()).toBe(200);
    await expect(page.getByRole("button", { name: "Rotate …" })).toBeVisible();
  });
});
