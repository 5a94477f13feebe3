import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Browser } from "@/dev/identity/browser";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { db } from "@/lib/platform/db";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { env, setEnv } from "@/lib/platform/env";
import type { Context } from "@/lib/access";
import { getPersonState } from "@/lib/tenants";
import { unknownCaller } from "./audit";
import { handleOf } from "./cookie";
import { createSessionFor } from "./create-session";
import { provedAtOf } from "./find-session";
import { purposeCookie, readPurpose } from "./purpose";
import { aSignIn, type SignedIn } from "./sign-in.fixture";
import { endSessionById, findSession, listSessions, signOutOthers, signOutSession } from ".";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
afterEach(() => {
  resetClock();
  setEnv(undefined);
});
afterAll(() => realm.close());

const signIn = async (username: string, browser?: Browser) => aSignIn(await realm.tokensFor(username, "web", browser), { ...unknownCaller(), ip: "203.0.113.9", userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15" });
const contextOf = async ({ meta, handle }: SignedIn): Promise<Context> => {
  const { person } = await getPersonState(meta.uid);
  return { requestId: "r", tenantId: person.tenantId, actor: { type: "user", person, credential: { kind: "session", session: handle } }, permissions: 0, ip: null, userAgent: null };
};

describe("coming back from Keycloak to confirm", () => {
  const confirm = (userId: string, maxAgeSeconds: number) => ({ kind: "confirm", userId, maxAgeSeconds, returnTo: "/keys" }) as const;

  it("with a recent proof gives a new handle, and the log says that it was confirmed", async () => {
    const { meta } = await signIn("uma");
    const { envelope, outcome } = await createSessionFor(confirm(meta.uid, 60), await realm.tokensFor("uma"), unknownCaller());
    expect(outcome).toBe("confirmed");
    const [event] = await db().auditEvent.findMany({ where: { targetId: handleOf(envelope).sessionId } });
    expect(event).toMatchObject({ action: "session.created", data: { confirmed: true } });
  });

  it("at the limit of sessions signs no other browser out: the session that it replaces does not count", async () => {
    setEnv({ ...env(), SESSION_MAX_PER_USER: 2 });
    const [other, here] = [await signIn("gus"), await signIn("gus")];
    const { outcome } = await createSessionFor(confirm(here.meta.uid, 60), await realm.tokensFor("gus"), unknownCaller(), here.handle.sessionId);
    expect(outcome).toBe("confirmed");
    expect(await findSession(other.cookie)).not.toBeNull();
  });

  it("with a proof that is older than was asked for is refused, and makes no session", async () => {
    const { meta } = await signIn("vic");
    const before = await db().auditEvent.count({ where: { action: "session.created", actorId: meta.uid } });
    const tokens = await realm.tokensFor("vic");
    // As if it had been asked for a proof that lies in the future: any real one is too old then.
    const caller = { requestId: randomUUID(), ip: "203.0.113.8", userAgent: "a browser" };
    await expect(createSessionFor(confirm(meta.uid, -60), tokens, caller)).rejects.toMatchObject({ code: "step_up_required" });
    // Among the person's events, too.
    expect(await db().auditEvent.findMany({ where: { requestId: caller.requestId }, omit: { seq: true, writeOrder: true } })).toMatchObject([{ action: "session.sign_in_failed", targetType: "user", targetId: meta.uid, ip: caller.ip, userAgent: caller.userAgent, data: { by: "browser", reason: "step_up_required" } }]);
    expect(await db().auditEvent.count({ where: { action: "session.created", actorId: meta.uid } })).toBe(before);
  });

  it("as somebody else gives them a session of their own and confirms nothing", async () => {
    const { meta } = await signIn("uma");
    const { envelope, outcome } = await createSessionFor(confirm(meta.uid, 60), await realm.tokensFor("gus"), unknownCaller());
    expect(outcome).toBe("somebody_else");
    const [event] = await db().auditEvent.findMany({ where: { targetId: handleOf(envelope).sessionId } });
    expect(event?.actorId).not.toBe(meta.uid);
    expect(event?.data).not.toHaveProperty("confirmed");
  });

  it("what it was for is believed only under our own secret, and not for long", async () => {
    const { name, value } = await purposeCookie(confirm("u", 60));
    expect(await readPurpose(`${name}=${value}`)).toMatchObject({ kind: "confirm", maxAgeSeconds: 60 });
    expect(await readPurpose(`${name}=${value.slice(0, -3)}AAA`)).toBeNull();
    setEnv({ ...env(), AUTH_SECRET: "another-secret-of-enough-length-0123456789" });
    expect(await readPurpose(`${name}=${value}`)).toBeNull();
    expect(await readPurpose(null)).toBeNull();
  });

  it("how old a proof is does not depend on how far Keycloak's clock is off", () => {
    const created = 1_000_000_000;
    for (const skew of [-3600, 0, 3600]) {
      const login_iat = created / 1000 + skew;
      expect(provedAtOf({ created, login_iat, auth_time: login_iat - 120 })).toBe(created - 120_000);
    }
  });
});

describe("the list of one's sessions", () => {
  it("has this one first, tells the device, and nobody else's or ended ones", async () => {
    const [here, there, over, stranger] = [await signIn("ada"), await signIn("ada"), await signIn("ada"), await signIn("gus")];
    await endSessionById(over.handle.sessionId, "limit");
    const list = await listSessions(await contextOf(here));
    expect(list.map(({ id, isThis }) => [id, isThis])).toEqual([[here.handle.sessionId, true], [there.handle.sessionId, false]]);
    expect(list[0]).toMatchObject({ device: "Safari 18 on macOS", address: "203.0.113.9" });
    expect(list.map(({ id }) => id)).not.toContain(stranger.handle.sessionId);
  });

  it("of somebody else cannot be signed out: not found, and it lives", async () => {
    const [here, stranger] = [await signIn("uma"), await signIn("gus")];
    await expect(signOutSession(await contextOf(here), { id: stranger.handle.sessionId })).rejects.toMatchObject({ code: "not_found" });
    expect(await findSession(stranger.cookie)).not.toBeNull();
  });

  it("signs others out and this one stays; the browser that was signed out must show the password, though Keycloak still knows it", async () => {
    const thereBrowser = new Browser();
    const [here, there] = [await signIn("dis"), await signIn("dis", thereBrowser)];
    moveClock(5000);
    expect(await signOutOthers(await contextOf(here))).toEqual({ ended: 1 });
    await expect(findSession(there.cookie)).rejects.toMatchObject({ code: "session_expired", cause: "signed_out_elsewhere" });
    expect(await findSession(here.cookie)).not.toBeNull();
    await expect(signIn("dis", thereBrowser)).rejects.toMatchObject({ code: "session_expired" });
    expect(await findSession((await signIn("dis")).cookie)).not.toBeNull();
  });

  it("is not for keys and tokens", async () => {
    const ctx = await contextOf(await signIn("uma"));
    const keyed = { ...ctx, actor: { type: "user", person: (ctx.actor as Extract<Context["actor"], { type: "user" }>).person, credential: { kind: "gateway", familyId: "f" } } } satisfies Context;
    await expect(listSessions(keyed)).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(signOutOthers(keyed)).rejects.toMatchObject({ code: "insufficient_permission" });
  });
});
