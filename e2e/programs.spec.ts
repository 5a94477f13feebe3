import { demoUrl, signIn } from "./people";
import { expect, test } from "./test";

test("somebody sees which programs are signed in as them, ends one and then all, and those are refused at once", async ({ page, request }) => {
  test.slow();
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const headers = { origin: demoUrl };
  await page.request.post(`${demoUrl}/api/v1/auth/token/revoke`, { headers, data: { all: true } });
  await page.goto("/tokens");
  await expect(page.getByRole("heading", { name: "No program is signed in" })).toBeVisible();

  const name = `program ${Date.now()}`;
  const { key, id } = ((await (await page.request.post(`${demoUrl}/api/v1/auth/api-keys`, { headers, data: { name, permissions: ["read"] } })).json()) as { data: { key: string; id: string } }).data;
  const obtain = async (agent: string) => (await (await request.post(`${demoUrl}/api/v1/auth/token`, { headers: { "x-api-key": key, "user-agent": agent }, data: { permissions: ["usage:read"] } })).json()) as { access_token: string };
  const me = async (token: string) => (await request.get(`${demoUrl}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status();
  const [robot, crawler, third] = [await obtain("robot/1"), await obtain("crawler/2"), await obtain("third/3")];

  await page.reload();
  const row = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "robot/1" }) });
  await expect(row).toContainText(name);
  await expect(row).toContainText("usage:read");
  await row.getByRole("button", { name: "End robot/1" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "End sign-in" }).click();
  // While the question is open nothing else of the page is there for those who listen.
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(page.getByRole("heading", { name: "robot/1" })).toBeHidden();
  expect([await me(robot.access_token), await me(crawler.access_token)]).toEqual([401, 200]);

  await page.getByRole("button", { name: "End all" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "End all" }).click();
  await expect(page.getByRole("alertdialog")).toBeHidden();
  await expect(page.getByRole("heading", { name: "No program is signed in" })).toBeVisible();
  expect([await me(crawler.access_token), await me(third.access_token)]).toEqual([401, 401]);
  await page.request.delete(`${demoUrl}/api/v1/auth/api-keys/${id}`, { headers });
});
