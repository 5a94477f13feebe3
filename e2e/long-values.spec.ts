import pg from "pg";
import { Redis } from "ioredis";
import type { Page } from "@playwright/test";
import { demoUrl, signIn } from "./people";
import { keepKeysTidy } from "./keys";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

const { demo } = stackInfo();
keepKeysTidy();

const long = (length: number, word = "Donaudampfschifffahrtsgesellschaft") => word.repeat(Math.ceil(length / word.length)).slice(0, length);
const agent = `${long(300, "Agent")}/1.0`;
// The instant of the test is by what it is taken away again.
const keyName = `${long(87, "K")}${Date.now()}`;
const appName = `long${Date.now()}${long(40, "a")}`;
const appLabel = long(200, "L");

/** Elements that stand out of the card, dialog or bar that they belong to, or of the window; what may be scrolled to or is cut on purpose is none. */
const spills = (page: Page) => page.evaluate(() => {
  const isSeen = (element: Element) => { const { width, height } = element.getBoundingClientRect(); return width > 1 && height > 1; };
  const isHeld = (element: Element, box: Element) => {
    for (let at = element.parentElement; at && at !== box; at = at.parentElement) if (getComputedStyle(at).overflowX !== "visible") return true;
    return false;
  };
  const outOf = (box: Element) => {
    const edge = Math.min(box.getBoundingClientRect().right, document.documentElement.clientWidth) + 1;
    return [...box.querySelectorAll("*")].filter((element) => isSeen(element) && element.getBoundingClientRect().right > edge && !isHeld(element, box));
  };
  const found = [...document.querySelectorAll("main, main section, header, nav, [role=dialog], [role=alertdialog], [role=menu], [data-sonner-toast]")].filter(isSeen).flatMap(outOf);
  return [...new Set(found)].map((element) => `${element.tagName.toLowerCase()}.${element.className}: ${element.textContent?.slice(0, 40)}`).slice(0, 5);
});

/** Names as long as they may be, of a person, their keys, flows and calls. What was there before comes back. */
async function withLongNames(run: (ids: { key: string; person: string; flow: string; request: string }) => Promise<void>, page: Page): Promise<void> {
  const database = new pg.Client({ connectionString: demo.databaseUrl });
  const redis = new Redis(demo.redisUrl);
  await database.connect();
  const me = (await (await page.request.get(`${demoUrl}/api/v1/auth/me`)).json()) as { data: { id: string } };
  const ids = [me.data.id];
  const kept = await database.query('SELECT username, email, name, "tenantId" FROM "User" WHERE id = ANY($1)', [ids]);
  const { username, email, name, tenantId } = kept.rows[0] as Record<string, string>;
  const tenant = (await database.query('SELECT name FROM "Tenant" WHERE id = $1', [tenantId])).rows[0] as { name: string };
  const flow = (await database.query('SELECT c.id, c."flowiseId", c.name, c.description FROM "Chatflow" c JOIN "ChatflowAssignment" a ON a."chatflowId" = c.id WHERE a."userId" = $1 LIMIT 1', [ids[0]])).rows[0] as { id: string; flowiseId: string; name: string; description: string | null };
  const forget = () => redis.del(`sl:u:${ids[0]}`);
  try {
    const made = await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers: { origin: demoUrl }, data: { name: keyName, description: long(500), permissions: ["read"] } });
    const { data } = (await made.json()) as { data: { id: string; key: string } };
    await database.query('UPDATE "User" SET username = $2, email = $3, name = $4 WHERE id = $1', [ids[0], long(255, "u"), `${long(64, "m")}@${long(240, "domain")}.test`, long(300)]);
    await database.query('UPDATE "Tenant" SET name = $2 WHERE id = $1', [tenantId, long(100)]);
    await database.query('UPDATE "Chatflow" SET name = $2, description = $3 WHERE id = $1', [flow.id, long(255), long(1000)]);
    await forget();
    expect((await page.request.post(`${demoUrl}/api/v1/nflow/builder/apps`, { headers: { origin: demoUrl }, data: { name: appName, displayName: appLabel, description: long(1000) } })).status()).toBe(201);
    const call = await page.request.fetch(`${demoUrl}/api/v1/chatflows?${long(200, "q")}=1`, { headers: { "x-api-key": data.key, "user-agent": agent, cookie: "" } });
    await page.request.post(`${demoUrl}/api/v1/auth/token`, { headers: { "x-api-key": data.key, "user-agent": agent, cookie: "" }, data: {} }).catch(() => undefined);
    await run({ key: data.id, person: ids[0] ?? "", flow: flow.flowiseId, request: call.headers()["x-request-id"] ?? "" });
  } finally {
    await page.request.post(`${demoUrl}/api/v1/nflow/builder/apps/remove`, { headers: { origin: demoUrl }, data: { names: [appName] } });
    await database.query('UPDATE "User" SET username = $2, email = $3, name = $4 WHERE id = $1', [ids[0], username, email, name]);
    await database.query('UPDATE "Tenant" SET name = $2 WHERE id = $1', [tenantId, tenant.name]);
    await database.query('UPDATE "Chatflow" SET name = $2, description = $3 WHERE id = $1', [flow.id, flow.name, flow.description]);
    await forget();
    await database.end();
    redis.disconnect();
  }
}

const openAccount = async (page: Page) => {
  const menu = page.getByRole("button", { name: "Open menu" });
  if (await menu.isVisible()) await menu.click();
  await page.getByRole("button", { name: /^Account of/ }).last().click();
  await expect(page.getByRole("menu")).toBeVisible();
};
const openKeyMenu = async (page: Page) => {
  const menu = page.getByRole("button", { name: new RegExp(keyName) }).first();
  await expect(menu).toBeInViewport({ ratio: 1 });
  await menu.click();
  await expect(page.getByRole("menu")).toBeVisible();
};
const openLongApp = async (page: Page) => {
  await page.getByRole("button", { name: new RegExp(`Delete ${appLabel}`) }).click();
  await expect(page.getByRole("alertdialog")).toBeVisible();
};
/** A toast that says the name. */
const disableByMenu = async (page: Page) => {
  await page.getByRole("button", { name: /^(Disable|Enable)/ }).click();
  const confirm = page.getByRole("alertdialog").getByRole("button", { name: "Disable" });
  const toast = page.locator("[data-sonner-toast]");
  await expect(confirm.or(toast).first()).toBeVisible();
  if (await confirm.isVisible()) await confirm.click();
  await expect(toast.first()).toBeVisible();
};
const openQuestion = (name: string) => async (page: Page) => {
  await page.getByRole("button", { name }).click();
  await expect(page.getByRole("dialog").or(page.getByRole("alertdialog"))).toBeVisible();
};

test("a name that is cut is whole on hover, and unfolds when the keyboard reaches it", async ({ page }) => {
  await signIn(page, "uma");
  await expect(page).toHaveURL(/\/overview/);
  await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers: { origin: demoUrl }, data: { name: keyName, permissions: ["read"] } });
  await page.goto("/keys");
  const link = page.getByRole("link", { name: keyName });
  const text = link.locator("span");
  await expect(text).toHaveAttribute("title", keyName);
  const lineHeight = (await text.boundingBox())?.height ?? 0;
  await page.getByRole("checkbox", { name: new RegExp(keyName) }).focus();
  await page.keyboard.press("Tab");
  await expect(link).toBeFocused();
  await expect.poll(async () => (await text.boundingBox())?.height).toBeGreaterThan(lineHeight * 1.5);
});

test("every page takes the longest names, on a phone and on a laptop", async ({ page }) => {
  test.setTimeout(360_000);
  await signIn(page, "ada");
  await expect(page).toHaveURL(/\/overview/);
  await withLongNames(async ({ key, person, flow, request }) => {
    /** A page, and what can be opened on it that shows such a name. */
    const paths: [string, ((page: Page) => Promise<void>)?][] = [
      ["/overview", openAccount], ["/keys", openKeyMenu], [`/keys/${key}`, openQuestion("Revoke …")], [`/keys/${key}`, openQuestion("Rotate …")], ["/usage"], ["/requests"], [`/requests/${request}`],
      ["/tokens"], ["/machine-access"], ["/sessions"], ["/chatflows"], [`/chatflows/${flow}`], ["/nflow", openLongApp], [`/keys/${key}`, disableByMenu],
      ["/admin/people"], [`/admin/people/${person}`, openQuestion("Cut this person off …")], ["/admin/keys", openKeyMenu], [`/admin/keys/${key}`], ["/admin/requests"], ["/admin/tenants"], ["/admin/plans"],
    ];
    const faults: string[] = [];
    for (const [width, height] of [[1280, 800], [360, 780]] as const) {
      await page.setViewportSize({ width, height });
      for (const [path, open] of paths) {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        faults.push(...(await spills(page)).map((spill) => `${path} at ${width}: ${spill}`));
        await open?.(page);
        if (open) faults.push(...(await spills(page)).map((spill) => `${path} at ${width}, opened: ${spill}`));
      }
    }
    expect(faults).toEqual([]);
  }, page);
});
