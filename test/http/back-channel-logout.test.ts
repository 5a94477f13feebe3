import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startSigner, type Signer } from "../../dev/testing/logout-tokens";
import { stopChild } from "../../dev/lib/process";
import { call, callsTo, control, demo, forgetCalls, keyOf, resetParts, signIn, tokenOf } from "./client";
import { type Replica, spawnServer, startReplica } from "./replica";

const path = "/api/auth/backchannel-logout";
const form = (fields: Record<string, string>) => ({ headers: { "content-type": "application/x-www-form-urlencoded" }, raw: new URLSearchParams(fields).toString() });
let replicas: Replica[] = [];
/** Every process that answers for the stack. */
const bases = () => [demo.url, ...replicas.map(({ url }) => url)];

beforeAll(async () => {
  replicas = await Promise.all([startReplica(), startReplica()]);
}, 60_000);
afterEach(resetParts);
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
});

type Session = { cookie: string; sid: string; sub: string; /** Whether each process lets it in. */ lives(on?: string[]): Promise<boolean[]> };

/** A browser's session, with what its tokens say of Keycloak's. */
async function aSession(username: string): Promise<Session> {
  const cookie = (await signIn(username)).cookies(demo.url);
  await forgetCalls("nflow");
  // A crowded machine may need a second try: Redis is given half a second.
  await expect.poll(async () => (await call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { cookie, headers: { origin: demo.url }, body: {} })).status, { timeout: 20_000 }).toBe(200);
  const claims = tokenOf((await callsTo("nflow"))[0]!) as { sid: string; sub: string };
  const lives = (on = bases()) => Promise.all(on.map(async (base) => {
    const answer = await call(base, "GET", "/api/v1/auth/me", { cookie });
    if (answer.status !== 200) expect([answer.status, answer.json?.code]).toEqual([401, "session_expired"]);
    return answer.status === 200;
  }));
  return { cookie, ...claims, lives };
}

const nowhere = [false, false, false];
const everywhere = [true, true, true];

describe("a sign-out at Keycloak", () => {
  it("ends the session that it names on every process within a second, and leaves the person's other sessions alone", async () => {
    const [here, elsewhere] = [await aSession("uma"), await aSession("uma")];
    expect([await here.lives(), await elsewhere.lives()]).toEqual([everywhere, everywhere]);
    await control("identity", { deleteSession: { sid: here.sid } });
    const told = Date.now();
    await expect.poll(() => here.lives(), { interval: 50, timeout: 1000 }).toEqual(nowhere);
    expect(Date.now() - told).toBeLessThan(2000);
    expect(await elsewhere.lives()).toEqual(everywhere);
  });

  it("by an administrator ends all of the person's sessions within two seconds, and nobody else's", async () => {
    // Somebody of our own: it makes machine access stale, which others' tests go on using.
    await control("identity", { createUsers: { tam: ["user"] } });
    const [one, two, other] = [await aSession("tam"), await aSession("tam"), await aSession("vic")];
    await control("identity", { logoutUser: "tam" });
    await expect.poll(async () => [await one.lives(), await two.lives()], { interval: 50, timeout: 2000 }).toEqual([nowhere, nowhere]);
    expect(await other.lives()).toEqual(everywhere);
  });

  it("of a client that names no session ends all sessions of the person", async () => {
    await control("identity", { backchannel: { sessionRequired: false } });
    const [one, two, other] = [await aSession("uma"), await aSession("uma"), await aSession("vic")];
    await control("identity", { deleteSession: { sid: one.sid } });
    await expect.poll(async () => [await one.lives(), await two.lives()], { interval: 50, timeout: 2000 }).toEqual([nowhere, nowhere]);
    expect(await other.lives()).toEqual(everywhere);
  });

  it("leaves the person free to sign in again", async () => {
    const before = await aSession("vic");
    await control("identity", { deleteSession: { sid: before.sid } });
    await expect.poll(() => before.lives(), { timeout: 2000 }).toEqual(nowhere);
    expect(await (await aSession("vic")).lives()).toEqual(everywhere);
  });
});

describe("a grant", () => {
  const statusOf = async (key: string) => (await call(demo.url, "GET", "/api/v1/grant", { key })).json.data.status as string;
  const run = (key: string) => call(demo.url, "POST", "/api/v1/nflow/builder/apps/search", { key, body: {} });

  it("is asked about when a sign-out says that offline access is revoked, and Keycloak's answer decides: it lives on", async () => {
    await control("identity", { createUsers: { tam: ["user"] } });
    const { key } = await keyOf("tam", { permissions: ["nflow:read"] });
    expect((await run(key)).status).toBe(200);
    const session = await aSession("tam");
    await control("identity", { backchannel: { revokeOffline: true } });
    await forgetCalls("identity");
    await control("identity", { deleteSession: { sid: session.sid } });
    const refreshed = async () => (await callsTo("identity")).filter(({ body }) => body.grant_type === "refresh_token" && body.client_id !== "sluice-web").length;
    await expect.poll(refreshed, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(await statusOf(key)).toBe("active");
    expect((await run(key)).status).toBe(200);
  });

  it("that an administrator's sign-out made stale answers 403 with the way back once its cached token has ended", async () => {
    await control("identity", { createUsers: { tim: ["user"] } });
    const { key } = await keyOf("tim", { permissions: ["nflow:read"] });
    await control("identity", { accessTokenTtl: 3 });
    await run(key);
    // Tokens of the very second of the sign-out survive it at Keycloak.
    const second = Math.floor(Date.now() / 1000);
    await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 5000 }).toBeGreaterThan(second + 1);
    await control("identity", { logoutUser: "tim" });
    await expect.poll(async () => { const answer = await run(key); return [answer.status, answer.json?.code]; }, { timeout: 30_000, interval: 300 }).toEqual([403, "owner_reauth_required"]);
    expect((await run(key)).json.grantUrl).toContain("/machine-access");
    expect(await statusOf(key)).toBe("needs_reauth");
  }, 60_000);
});

describe("abuse, at a server whose issuer signs whatever we want", () => {
  let signer: Signer;
  const doors: { name: string; url: string; stop(): Promise<unknown> }[] = [];
  beforeAll(async () => {
    signer = await startSigner();
    const own = await startReplica({ KEYCLOAK_ISSUER: signer.issuer });
    const next = await spawnServer({ KEYCLOAK_ISSUER: signer.issuer }, ["node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1"]);
    await vi.waitUntil(() => fetch(`${next.url}/api/health/live`).then(({ ok }) => ok, () => false), { timeout: 60_000 });
    doors.push({ name: "our door", url: own.url, stop: own.stop }, { name: "Next.js alone", url: next.url, stop: () => stopChild(next.child) });
  }, 90_000);
  afterAll(async () => {
    await Promise.all(doors.map((door) => door.stop()));
    await signer?.close();
  });

  it("each wrong token is 400 at both doors, never cached, and no session ends; the right one ends it", async () => {
    for (const door of doors) {
      const session = await aSession("uma");
      for (const [what, jws, why] of await signer.abuses({ sub: session.sub, sid: session.sid })) {
        const answer = await call(door.url, "POST", path, form({ logout_token: jws }));
        expect([answer.status, answer.headers.get("cache-control"), answer.json.code], `${what} at ${door.name}`).toEqual([400, "no-store", "bad_request"]);
        expect(answer.json.detail, what).toContain(why);
        expect(answer.text, what).not.toContain(jws.slice(0, 40));
      }
      expect(await session.lives()).toEqual(everywhere);
      const good = await signer.sign(signer.claims({ sub: session.sub, sid: session.sid }));
      const taken = await call(door.url, "POST", path, form({ logout_token: good }));
      expect([taken.status, taken.headers.get("cache-control"), taken.text]).toEqual([200, "no-store", ""]);
      expect(await session.lives()).toEqual(nowhere);
      const replayed = await call(door.url, "POST", path, form({ logout_token: good }));
      expect([replayed.status, replayed.headers.get("cache-control")]).toEqual([400, "no-store"]);
      // Nobody of that name is here any more: that is fine too.
      expect((await call(door.url, "POST", path, form({ logout_token: await signer.sign(signer.claims({ sub: session.sub, sid: session.sid })) }))).status).toBe(200);
    }
  });

  it("other methods, other bodies and large ones are refused at both doors", async () => {
    const jws = await signer.sign(signer.claims());
    for (const { name, url } of doors) {
      for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
        const answer = await call(url, method, `${path}?logout_token=${jws}`);
        expect([answer.status, answer.headers.get("allow"), answer.headers.get("cache-control")], `${method} at ${name}`).toEqual([405, "POST", "no-store"]);
      }
      const refusals: [Parameters<typeof call>[3], number][] = [
        [{ body: { logout_token: jws } }, 415],
        [{ raw: `logout_token=${jws}`, headers: { "content-type": "text/plain" } }, 415],
        [form({ logout_token: "x".repeat(17_000) }), 413],
        [form({}), 400],
        [form({ logout_token: "" }), 400],
        [{ ...form({}), raw: `logout_token=${jws}&logout_token=${jws}` }, 400],
      ];
      for (const [sent, status] of refusals) {
        const answer = await call(url, "POST", path, sent);
        expect([answer.status, answer.headers.get("cache-control")], `${status} at ${name}`).toEqual([status, "no-store"]);
      }
    }
  });

  it("needs no cookie and no Origin, and a foreign one changes nothing", async () => {
    const sent = form({ logout_token: await signer.sign(signer.claims()) });
    expect((await call(doors[0]!.url, "POST", path, { ...sent, cookie: "sluice.session=nonsense", headers: { ...sent.headers, origin: "https://evil.test" } })).status).toBe(200);
  });

  it("without Redis nothing is taken: 503, so that nobody believes a session to be over", async () => {
    const replica = await startReplica({ KEYCLOAK_ISSUER: signer.issuer, REDIS_URL: "redis://127.0.0.1:9" });
    try {
      const answer = await call(replica.url, "POST", path, form({ logout_token: await signer.sign(signer.claims()) }));
      expect([answer.status, answer.json.code, answer.headers.get("cache-control")]).toEqual([503, "store_unavailable", "no-store"]);
    } finally {
      await replica.stop();
    }
  });
});
