import { randomUUID } from "node:crypto";
import { encode } from "@auth/core/jwt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Signer, startSigner } from "@/dev/testing/logout-tokens";
import { aPerson } from "@/dev/testing/people";
import { storeGrant, tryGrantJob } from "@/lib/grants";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { storeUnavailable } from "@/lib/platform/errors";
import { forgetKeycloak } from "@/lib/platform/keycloak";
import { readLogoutMark, wasLogoutHeard } from "@/lib/platform/logout-mark";
import { closeQueue, queue } from "@/lib/platform/queue";
import { withRedis } from "@/lib/platform/redis";
import { findSession } from "@/lib/sessions";
import { unknownCaller } from "@/lib/sessions/audit";
import { handleOf, sessionCookieName } from "@/lib/sessions/cookie";
import { createSession } from "@/lib/sessions/create-session";
import * as ends from "@/lib/sessions/end-sessions";
import { receiveLogout } from ".";

let signer: Signer;
beforeAll(async () => {
  signer = await startSigner();
  process.env.KEYCLOAK_ISSUER = signer.issuer;
  setEnv(undefined);
  forgetKeycloak();
});
beforeEach(async () => {
  const left = await withRedis((client) => client.keys("sl:l:bcl:*"));
  if (left.length) await withRedis((client) => client.del(left));
});
afterEach(() => {
  resetClock();
  vi.restoreAllMocks();
});
afterAll(async () => {
  await closeQueue();
  await signer.close();
});

const caller = { requestId: "r", ip: "192.0.2.1", userAgent: null };
const receive = (jws: string) => receiveLogout(caller, jws);
const seconds = () => Math.floor(Date.now() / 1000);

/** What Keycloak gives at a sign-in, with its own clock. */
async function tokensOf(who: { sub: string; sid: string; authTime?: number }) {
  const iat = who.authTime ?? seconds() - 10;
  const said = { iss: signer.issuer, aud: "sluice-web", sub: who.sub, sid: who.sid, iat, exp: seconds() + 300 };
  const [accessToken, idToken] = await Promise.all([
    signer.sign({ ...said, typ: "Bearer", preferred_username: who.sub, roles: ["user"] }, { typ: "JWT" }),
    signer.sign({ ...said, typ: "ID", auth_time: iat, acr: "1" }, { typ: "JWT" }),
  ]);
  return { accessToken, idToken, expiresAt: Date.now() + 300_000, expiresInSeconds: 300, refreshToken: "a-refresh-token", refreshExpiresAt: null, scope: null };
}

async function signIn(who: { sub?: string; sid?: string; authTime?: number } = {}) {
  const [sub, sid] = [who.sub ?? randomUUID(), who.sid ?? randomUUID()];
  const envelope = await createSession(await tokensOf({ ...who, sub, sid }), unknownCaller());
  const name = sessionCookieName();
  const cookie = `${name}=${await encode({ token: { ...envelope }, secret: env().AUTH_SECRET, salt: name, maxAge: 3600 })}`;
  return { sub, sid, id: handleOf(envelope).sessionId, lives: () => findSession(cookie).then(() => true, (error: { code?: string }) => { expect(error.code).toBe("session_expired"); return false; }) };
}

describe("a sign-out that Keycloak tells of", () => {
  it("by sid ends the sessions of that Keycloak session, and no other of the person; saying it again in other words is fine", async () => {
    const sub = randomUUID();
    const [here, elsewhere] = [await signIn({ sub }), await signIn({ sub })];
    const sameBrowser = await signIn({ sub, sid: here.sid });
    expect(await receive(await signer.sign(signer.claims({ sub, sid: here.sid })))).toBe(2);
    expect([await here.lives(), await sameBrowser.lives(), await elsewhere.lives()]).toEqual([false, false, true]);
    expect(await receive(await signer.sign(signer.claims({ sub, sid: here.sid })))).toBe(0);
    const event = await db().auditEvent.findFirst({ where: { targetId: here.id, action: "session.ended" } });
    expect(event?.data).toMatchObject({ reason: "backchannel" });
  });

  it("by sub alone ends all sessions of the person that began before it, and nobody else's", async () => {
    const sub = randomUUID();
    const [one, two, other] = [await signIn({ sub }), await signIn({ sub }), await signIn()];
    const token = await signer.sign(signer.claims({ sub, sid: undefined, iat: seconds() - 5 }));
    const later = await signIn({ sub, authTime: seconds() - 1 });
    await receive(token);
    expect([await one.lives(), await two.lives(), await other.lives(), await later.lives()]).toEqual([false, false, true, true]);
  });

  it("names nobody here: it is fine", async () => {
    expect(await receive(await signer.sign(signer.claims({ sid: randomUUID() })))).toBe(0);
  });

  it("leaves word of its arrival for the operator", async () => {
    const sid = randomUUID();
    await receive(await signer.sign(signer.claims({ sid })));
    expect(await withRedis((client) => readLogoutMark(client, "web"))).toEqual({ at: expect.any(Number) as number });
    expect(await withRedis((client) => Promise.all([wasLogoutHeard(client, sid), wasLogoutHeard(client, `${sid}-other`)]))).toEqual([true, false]);
  });
});

describe("nothing comes back to life", () => {
  it("a sign-in whose logout token came before its record is refused", async () => {
    const who = { sub: randomUUID(), sid: randomUUID() };
    const tokens = await tokensOf(who);
    await receive(await signer.sign(signer.claims(who)));
    await expect(createSession(tokens, unknownCaller())).rejects.toMatchObject({ code: "session_expired" });
  });

  it("a record that is written after the marks were looked at and the sessions were ended is dead all the same", async () => {
    // The token arrives at every point of the sign-in: whatever the order, no session of that Keycloak session lives afterwards.
    for (let i = 0; i < 20; i++) {
      const who = { sub: randomUUID(), sid: randomUUID() };
      const jws = await signer.sign(signer.claims(who));
      const signing = signIn(who).catch((error: { code?: string }) => { expect(error.code).toBe("session_expired"); return null; });
      for (let turn = 0; turn < i * 3; turn++) await new Promise((done) => setImmediate(done));
      await receive(jws);
      const session = await signing;
      expect(session === null || !(await session.lives())).toBe(true);
    }
  });

  it("a repeated token does nothing, but one whose work failed may come again", async () => {
    const { sub, sid, lives } = await signIn();
    const jws = await signer.sign(signer.claims({ sub, sid }));
    const failing = vi.spyOn(ends, "endKeycloakSession").mockRejectedValueOnce(storeUnavailable(new Error("away")));
    await expect(receive(jws)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(failing).toHaveBeenCalled();
    expect(await lives()).toBe(true);
    await receive(jws);
    expect(await lives()).toBe(false);
    await expect(receive(jws)).rejects.toMatchObject({ code: "bad_request", detail: expect.stringMatching(/used before/) as string });
  });
});

describe("abuse", () => {
  it("each wrong token is refused, and ends nothing", async () => {
    const { sub, sid, lives } = await signIn();
    for (const [what, jws, why] of await signer.abuses({ sub, sid })) {
      await expect(receive(jws), what).rejects.toMatchObject({ code: "bad_request", detail: expect.stringContaining(why) as string });
      expect(await lives(), what).toBe(true);
    }
    await receive(await signer.sign(signer.claims({ sub, sid })));
    expect(await lives()).toBe(false);
  });

  it("a minute of difference between the clocks is forgiven, more is not", async () => {
    const made = (ahead: number) => signer.sign(signer.claims({ iat: seconds() + ahead, exp: seconds() + ahead + 120 }));
    await receive(await made(50));
    await receive(await made(-170));
    await expect(receive(await made(70))).rejects.toMatchObject({ code: "bad_request" });
    await expect(receive(await made(-190))).rejects.toMatchObject({ code: "bad_request" });
  });

  it("a portal two minutes behind Keycloak takes a sign-out, once an answer of Keycloak's has told the difference", async () => {
    const { sub, sid, lives } = await signIn();
    moveClock(-120_000);
    forgetKeycloak();
    await receive(await signer.sign(signer.claims({ sub, sid })));
    expect(await lives()).toBe(false);
  });

  it("names of keys that nobody knows make us read the keys at most once in 30 s", async () => {
    const [[, unknown]] = (await signer.abuses({})).filter(([what]) => /does not know/.test(what)) as [[string, string, string]];
    forgetKeycloak();
    await receive(await signer.sign(signer.claims()));
    const before = signer.keyReads();
    moveClock(31_000);
    for (let i = 0; i < 10; i++) await expect(receive(unknown)).rejects.toMatchObject({ code: "bad_request" });
    expect(signer.keyReads() - before).toBe(1);
  });

  it("junk from an address is limited, and a real sign-out from the same address still counts", async () => {
    const flood = { ...caller, ip: "192.0.2.77" };
    const answers = await Promise.allSettled(Array.from({ length: 320 }, () => receiveLogout(flood, "not-a-token")));
    const codes = answers.map((answer) => (answer.status === "rejected" ? (answer.reason as { code: string }).code : "taken"));
    expect(codes.filter((code) => code === "bad_request").length).toBeLessThanOrEqual(300);
    await expect(receiveLogout(flood, "not-a-token")).rejects.toMatchObject({ code: "rate_limited" });
    const { sub, sid, lives } = await signIn();
    await receiveLogout(flood, await signer.sign(signer.claims({ sub, sid })));
    expect(await lives()).toBe(false);
  });
});

describe("a grant", () => {
  async function anOwner() {
    const person = await aPerson();
    await storeGrant({ userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, client: "machine", refreshToken: "an-offline-token", refreshExpiresAt: null, kcSid: randomUUID() });
    return person;
  }
  const looksAt = async (userId: string) => (await queue().getDelayed()).filter((job) => job.name === tryGrantJob.name && (job.data as { userId: string }).userId === userId).length;

  it.each([["sluice-machine", {}], ["sluice-direct", {}], ["sluice-web", { revoke_offline_access: true }]])("is tried when a token for %s comes with %o", async (aud, events) => {
    const owner = await anOwner();
    const started = performance.now();
    await receive(await signer.sign(signer.claims({ aud, sub: owner.sub, sid: randomUUID(), events: { [signer.event]: {}, ...events } })));
    // The trial is asked for, not waited for.
    expect(performance.now() - started).toBeLessThan(1000);
    expect(await looksAt(owner.userId)).toBe(2);
  });

  it("is left alone by an ordinary sign-out, and a grant's client does not sign anybody out", async () => {
    const owner = await anOwner();
    const session = await signIn({ sub: owner.sub });
    await receive(await signer.sign(signer.claims({ aud: "sluice-machine", sub: owner.sub, sid: session.sid })));
    expect(await session.lives()).toBe(true);
    const other = await anOwner();
    await receive(await signer.sign(signer.claims({ sub: other.sub, sid: randomUUID() })));
    expect(await looksAt(other.userId)).toBe(0);
  });
});
