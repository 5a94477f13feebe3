import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { flowIds } from "../../dev/flowise/flows";
import { call, control, demo, keyOf, resetParts, revoke, withStandIn } from "./client";
import { childrenOf, isRunning, type Replica, spawnServer, startReplica } from "./replica";

let uma: { id: string; key: string };
beforeAll(async () => { uma = await keyOf("uma", { permissions: ["write"] }); });
afterEach(resetParts);
afterAll(() => revoke("uma", uma.id));

const page = (url: string) => fetch(`${url}/sign-in`, { redirect: "manual" }).then((r) => r.status, () => 0);
const api = (url: string) => call(url, "GET", "/api/v1/auth/me", { key: uma.key }).then((r) => r.status, () => 0);
const ready = async (url: string) => (await call(url, "GET", "/api/health/ready")) as { status: number; json: { checks: { pages?: { status: string } } } };
const nextOf = (server: Replica) => childrenOf(server.pid).find(({ command }) => command.includes("next"));
const doorOf = (server: Replica) => childrenOf(server.pid).find(({ command }) => command.includes("dist/server.mjs"));
const ended = (server: Replica) => (server.child.exitCode === null ? new Promise<number | null>((done) => server.child.once("exit", done)) : Promise.resolve(server.child.exitCode));

describe("two processes behind one port", () => {
  it("the API goes on without one failed call while the page process dies, readiness tells of it, and pages come back", async () => {
    const server = await startReplica({ SERVER_MODE: "split" });
    try {
      expect([await page(server.url), await api(server.url)]).toEqual([200, 200]);
      const first = nextOf(server);
      process.kill(first!.pid, "SIGKILL");
      const seen = { api: new Set<number>(), page: new Set<number>(), ready: new Set<number>(), pages: new Set<string | undefined>() };
      await expect.poll(async () => {
        const health = await ready(server.url);
        seen.ready.add(health.status);
        seen.pages.add(health.json.checks.pages?.status);
        seen.api.add(await api(server.url));
        const status = await page(server.url);
        seen.page.add(status);
        // What readiness tells is up to a second old, and a quick machine starts the process anew within that: it stays dead until that is told.
        if (!seen.pages.has("failed")) {
          const again = nextOf(server);
          if (again) process.kill(again.pid, "SIGKILL");
        }
        return seen.pages.has("failed") ? status : 0;
      }, { timeout: 45_000, interval: 20 }).toBe(200);
      expect([...seen.api, ...seen.ready]).toEqual([200, 200]);
      expect(seen.pages).toContain("failed");
      expect([...seen.page].filter((s) => s !== 200)).toEqual([503]);
      expect(nextOf(server)?.pid).not.toBe(first?.pid);
      await expect.poll(async () => (await ready(server.url)).json.checks.pages?.status).toBe("ok");
    } finally {
      await server.stop();
    }
  }, 60_000);

  it("a door that dies is opened again, and the page process lives on meanwhile", async () => {
    const server = await startReplica({ SERVER_MODE: "split" });
    try {
      const before = { next: nextOf(server)?.pid, door: doorOf(server)?.pid };
      for (let time = 0; time < 2; time++) {
        process.kill(doorOf(server)!.pid, "SIGKILL");
        await expect.poll(() => doorOf(server)?.pid !== undefined && api(server.url), { timeout: 20_000 }).toBe(200);
      }
      expect(doorOf(server)?.pid).not.toBe(before.door);
      expect(nextOf(server)?.pid).toBe(before.next);
      expect(await page(server.url)).toBe(200);
    } finally {
      await server.stop();
    }
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("after %s nothing of it is left", async (signal) => {
    const server = await startReplica({ SERVER_MODE: "split" });
    const pids = childrenOf(server.pid).map(({ pid }) => pid);
    expect(pids).toHaveLength(2);
    server.signal(signal);
    expect(await ended(server)).toBe(signal === "SIGTERM" ? 0 : null);
    await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  it("a setting that cannot be used stops it at once with one line, instead of trying again", async () => {
    const { child, words } = await spawnServer({ SERVER_MODE: "split", KEYCLOAK_ISSUER: "not-a-url" });
    expect(await new Promise((done) => child.once("exit", done))).toBe(1);
    expect(words()).toContain("KEYCLOAK_ISSUER must be an absolute URL");
    const taken = await spawnServer({ SERVER_MODE: "split", PORT: new URL(demo.url).port });
    expect(await new Promise((done) => taken.child.once("exit", done))).toBe(1);
    expect(taken.words()).toContain("is taken; set PORT to another one");
  });
});

describe("one process, or one half alone", () => {
  it("single answers pages and API from one process, and believes no forwarding header", async () => {
    const server = await startReplica({ SERVER_MODE: "single" });
    try {
      expect(childrenOf(server.pid)).toEqual([]);
      expect([await page(server.url), await api(server.url)]).toEqual([200, 200]);
      const portal = await fetch(`${server.url}/keys`, { redirect: "manual", headers: { "x-forwarded-host": "evil.test", "x-middleware-subrequest": "middleware:middleware" } });
      expect([portal.status, new URL(portal.headers.get("location") ?? "", demo.url).host]).toEqual([307, new URL(demo.url).host]);
      const session = await call(server.url, "GET", "/api/auth/session");
      expect([session.status, session.text]).toEqual([200, "null"]);
    } finally {
      await server.stop();
    }
  });

  it("api answers no pages, pages answers no API, and both tell how they are", async () => {
    const [apiOnly, pagesOnly] = await Promise.all([startReplica({ SERVER_MODE: "api" }), startReplica({ SERVER_MODE: "pages", REGISTRATION_LINK: "false" })]);
    try {
      // The link is for realms that let people register.
      const signIn = async (url: string) => (await call(url, "GET", "/sign-in")).text;
      expect((await signIn(demo.url)).includes("Create an account")).toBe(true);
      expect((await signIn(pagesOnly.url)).includes("Create an account")).toBe(false);
      expect([await page(apiOnly.url), await api(apiOnly.url), (await ready(apiOnly.url)).status]).toEqual([404, 200, 200]);
      expect([await page(pagesOnly.url), await api(pagesOnly.url), (await ready(pagesOnly.url)).status]).toEqual([200, 404, 200]);
      expect((await call(pagesOnly.url, "GET", "/api/auth/session")).status).toBe(200);
    } finally {
      await Promise.all([apiOnly.stop(), pagesOnly.stop()]);
    }
  });
});

describe("a server that is asked to stop", () => {
  const open = (url: string, session: string) => fetch(`${url}/api/v1/chat/predict/stream`, { method: "POST", headers: { "x-api-key": uma.key, "content-type": "application/json" }, body: JSON.stringify({ chatflow_id: flowIds.support, question: "one two three four five six", sessionId: session }) });
  const credits = async () => (await call(demo.url, "GET", "/api/v1/chat/credits", { key: uma.key })).json as { credits: number; held: number };

  it("lets an open stream end by itself, takes nothing new, and leaves with everything settled", async () => {
    const server = await startReplica();
    await control("flowise", { chunkDelayMs: 250 });
    const before = await credits();
    const stream = await open(server.url, `drain-${Date.now()}`);
    const reader = stream.body!.getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    server.signal("SIGTERM");
    await expect.poll(() => api(server.url), { timeout: 5000 }).toBe(0);
    for (let next = await reader.read(); !next.done; next = await reader.read()) text += new TextDecoder().decode(next.value);
    expect(text).toContain('"end"');
    expect(text).toContain("six");
    expect(await ended(server)).toBe(0);
    expect(await credits()).toMatchObject({ credits: before.credits - 1, held: 0 });
  });

  it("cuts what is still open after the grace, and settles it before it leaves", async () => {
    const server = await startReplica({ SHUTDOWN_GRACE_SECONDS: "1" });
    await control("flowise", { chunkDelayMs: 1500 });
    const before = await credits();
    const session = `cut-${Date.now()}`;
    const stream = await open(server.url, session);
    const reader = stream.body!.getReader();
    // A word has come, so it is to be paid for.
    for (let text = ""; !text.includes('"token"'); ) text += new TextDecoder().decode((await reader.read()).value);
    server.signal("SIGTERM");
    expect(await ended(server)).toBe(0);
    await expect(reader.read()).rejects.toThrow();
    expect(await credits(), "settled before the process was gone").toMatchObject({ credits: before.credits - 1, held: 0 });
    await control("flowise", { chunkDelayMs: 0 });
    expect((await (await open(demo.url, session)).text()), "and the conversation is open").toContain('"end"');
  });

  it("with Redis away at its start it still answers pages, says that it is not ready, and stops when asked", async () => {
    const server = await startReplica({ SERVER_MODE: "split", WORKER: "inside", REDIS_URL: "redis://127.0.0.1:9" });
    expect(await page(server.url)).toBe(200);
    expect((await ready(server.url)).status).toBe(503);
    server.signal("SIGTERM");
    expect(await ended(server)).toBe(0);
  });
});

/** So many at once and no more: the machine's pace is no part of the question. */
async function inWaves<T>(count: number, atOnce: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) made.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - made.length) }, (_, i) => make(made.length + i)))));
  return made;
}

withStandIn("flowise", "it runs hundreds of chains at once at its own pace, which is not what is asked here")("hundreds of open streams on one process: none is lost, each arrives whole", async () => {
  // A thousand are the bench's: there nothing else runs, and a machine's pace is part of the answer.
  const streams = 300;
  const server = await startReplica({ UPSTREAM_FIRST_BYTE_TIMEOUT_MS: "60000" });
  const ada = await keyOf("ada", { permissions: ["*"] });
  const many = await keyOf("uma", { permissions: ["write"], rateLimit: { requests: 100_000, window: 3600 } });
  try {
    const { memberId, id } = (await call(demo.url, "GET", "/api/v1/auth/me", { key: uma.key })).json.data;
    const given = await call(demo.url, "POST", `/api/admin/users/${id ?? memberId}/credits`, { key: ada.key, body: { amount: streams, reason: "many streams" } });
    expect(given.status).toBe(200);
    const before = (await call(demo.url, "GET", "/api/v1/chat/credits", { key: many.key })).json.credits as number;
    // Flowise holds them all until the last one is open, and then lets them go.
    await control("flowise", { chunkDelayMs: 2000 });
    const words = "a b c d e f g h i j k l m n o p q r s t u v w x y z";
    const opened = await inWaves(streams, 30, async (i) => {
      const answer = await fetch(`${server.url}/api/v1/chat/predict/stream`, { method: "POST", headers: { "x-api-key": many.key, "content-type": "application/json" }, body: JSON.stringify({ chatflow_id: flowIds.support, question: `number ${i} ${words}`, sessionId: `many-${i}-${Date.now()}` }) });
      let ended = false;
      return { status: answer.status, text: answer.text().finally(() => { ended = true; }), isOver: () => ended };
    });
    expect([...new Set(opened.map(({ status }) => status))]).toEqual([200]);
    expect(opened.filter((one) => one.isOver()), "all were open at one time").toEqual([]);
    await control("flowise", { chunkDelayMs: 5 });
    const broken = (await Promise.all(opened.map(async ({ text }, i) => {
      const whole = await text;
      const said = whole.split("\n\n").filter((f) => f.includes('"token"')).map((f) => (JSON.parse(f.slice(f.indexOf("data:") + 5)) as { data: string }).data).join("");
      return said === `You said: number ${i} ${words}` && whole.endsWith('data:{"event":"end","data":"[DONE]"}\n\n') ? null : whole.slice(-300);
    }))).filter((one) => one !== null);
    expect(broken).toEqual([]);
    expect((await call(demo.url, "GET", "/api/v1/chat/credits", { key: many.key })).json).toMatchObject({ credits: before - streams, held: 0 });
  } finally {
    await revoke("uma", many.id);
    await revoke("ada", ada.id);
    await server.stop();
  }
}, 180_000);
