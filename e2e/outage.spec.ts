import { type ChildProcess, spawn } from "node:child_process";
import { freePort } from "../dev/lib/postgres";
import { stopChild } from "../dev/lib/process";
import { type Link, openLink } from "../dev/testing/link";
import { signIn } from "./people";
import { stackInfo } from "./stack";
import { expect, test } from "./test";

// A portal of its own, whose ways to its stores can be cut without harming anybody else's.
let server: ChildProcess;
let url: string;
let redis: Link;
let postgres: Link;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  const { env } = stackInfo();
  if (!env) throw new Error("These tests need the stack of `npm test`.");
  const [database, store] = [new URL(env.DATABASE_URL ?? ""), new URL(env.REDIS_URL ?? "")];
  [postgres, redis] = await Promise.all([openLink(Number(database.port)), openLink(Number(store.port))]);
  database.port = String(postgres.port);
  const port = await freePort();
  url = `http://localhost:${port}`;
  server = spawn(process.execPath, ["dist/server.mjs"], {
    env: { PATH: process.env.PATH ?? "", ...env, NODE_ENV: "production", PORT: String(port), WORKER: "off", LOG_LEVEL: "fatal", DATABASE_URL: database.toString(), REDIS_URL: `redis://127.0.0.1:${redis.port}` },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  await new Promise((ready, fail) => server.once("message", ready).once("exit", () => fail(new Error("the portal ended while starting"))));
});

test.afterAll(async () => {
  await stopChild(server, "SIGTERM", 30_000);
  await Promise.all([redis.close(), postgres.close()]);
});

test("the status page is there for anybody while both stores are away, says what that means, and sees them come back by itself", async ({ page }) => {
  test.slow();
  await page.goto(`${url}/status`);
  await expect(page.getByText("Everything works.")).toBeVisible();
  const sessions = page.getByRole("listitem").filter({ hasText: "Sessions" });
  const data = page.getByRole("listitem").filter({ hasText: "Data store" });
  redis.freeze();
  postgres.freeze();
  await expect(sessions).toContainText("Does not answer");
  await expect(data).toContainText("Does not answer");
  await expect(sessions).toContainText("nobody is signed out");
  await expect(page.getByRole("listitem").filter({ hasText: "Identity service" })).toContainText("Works");
  // Also for who comes only now.
  await page.reload();
  await expect(page.getByText("2 parts do not answer.")).toBeVisible();
  redis.resume();
  postgres.resume();
  await expect(page.getByText("Everything works.")).toBeVisible({ timeout: 30_000 });
});

test("a page that is opened while sessions cannot be read says so, keeps the cookie, and goes on by itself", async ({ page, context }) => {
  test.slow();
  await signIn(page, "uma");
  await expect(page).toHaveURL(/overview/);
  const session = async () => (await context.cookies(url)).find(({ name }) => name.endsWith("sluice.session"))?.value;
  const before = await session();
  redis.freeze();
  await page.goto(`${url}/overview`);
  await expect(page.getByRole("heading", { name: "The portal’s store does not answer" })).toBeVisible();
  expect(await session()).toBe(before);
  redis.resume();
  await expect(page.getByRole("heading", { level: 1, name: "Hello, Uma" })).toBeVisible({ timeout: 30_000 });
  expect(await session()).toBe(before);
});
