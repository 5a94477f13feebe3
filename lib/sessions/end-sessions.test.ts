import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { resetClock } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { withRedis } from "@/lib/platform/redis";
import { refuseKilled } from "./marks";
import { aSignIn } from "./sign-in.fixture";
import { endKeycloakSession, endSessionById, endSessionsOf, findSession, getSessionToken } from ".";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
afterEach(() => resetClock());
afterAll(() => realm.close());

const signIn = async (username = "uma") => aSignIn(await realm.tokensFor(username));
const isOver = { code: "session_expired" };

describe("the end of a session at Keycloak", () => {
  it("ends what comes from it, with a reason and an audit event, and leaves the person's others alone", async () => {
    const [one, other] = [await signIn(), await signIn()];
    expect(one.meta.kc_sid).not.toBe(other.meta.kc_sid);
    expect(await endKeycloakSession(one.meta.kc_sid, "ended_at_keycloak")).toBe(1);
    await expect(findSession(one.cookie)).rejects.toMatchObject({ ...isOver, cause: "ended_at_keycloak" });
    await expect(getSessionToken(one.handle, "nflow")).rejects.toMatchObject(isOver);
    expect(await findSession(other.cookie)).not.toBeNull();
    const events = await db().auditEvent.findMany({ where: { targetId: one.handle.sessionId, action: "session.ended" } });
    expect(events).toMatchObject([{ actorType: "job", data: { reason: "ended_at_keycloak", userId: one.meta.uid } }]);
  });

  it("is told twice and ends nothing more, and is told of nobody's session without harm", async () => {
    const { meta, handle } = await signIn();
    expect(await endKeycloakSession(meta.kc_sid, "ended_at_keycloak")).toBe(1);
    expect(await endKeycloakSession(meta.kc_sid, "ended_at_keycloak")).toBe(0);
    expect(await endKeycloakSession("00000000-0000-4000-8000-000000000000", "ended_at_keycloak")).toBe(0);
    expect(await endKeycloakSession("", "ended_at_keycloak")).toBe(0);
    expect(await db().auditEvent.count({ where: { targetId: handle.sessionId, action: "session.ended" } })).toBe(1);
  });

  it("told before the record of a sign-in was written ends that sign-in too", async () => {
    const { meta, cookie } = await signIn();
    await withRedis((client) => client.del(`sl:ix:sid:${meta.kc_sid}`));
    expect(await endKeycloakSession(meta.kc_sid, "ended_at_keycloak")).toBe(0);
    await expect(findSession(cookie)).rejects.toMatchObject(isOver);
  });
});

describe("the end of a person's sessions", () => {
  it("ends sign-ins up to the second that is named, and later ones live", async () => {
    const { meta, cookie } = await signIn("ada");
    const who = { iss: meta.iss, sub: meta.sub };
    expect(await endSessionsOf(who, "signed_out_everywhere", { notBefore: meta.login_iat - 1 })).toBe(0);
    expect(await findSession(cookie)).not.toBeNull();
    expect(await endSessionsOf(who, "signed_out_everywhere", { notBefore: meta.login_iat })).toBe(1);
    await expect(findSession(cookie)).rejects.toMatchObject(isOver);
  });

  it("touches nobody else's, and a mark never moves back", async () => {
    const [nel, vic] = [await signIn("nel"), await signIn("vic")];
    const who = { iss: nel.meta.iss, sub: nel.meta.sub };
    expect(await endSessionsOf(who, "user_disabled")).toBe(1);
    expect(await findSession(vic.cookie)).not.toBeNull();
    // A message that comes late names an earlier second; a sign-in of before the mark is still over.
    expect(await endSessionsOf(who, "user_disabled", { notBefore: 5 })).toBe(0);
    await expect(refuseKilled(nel.meta)).rejects.toMatchObject(isOver);
  });
});

describe("one session ended by its id", () => {
  it("is over with nothing of its cookie known, once", async () => {
    const { handle, cookie } = await signIn("vic");
    expect(await endSessionById(handle.sessionId, "limit")).toBe(true);
    expect(await endSessionById(handle.sessionId, "limit")).toBe(false);
    expect(await endSessionById("A".repeat(43), "limit")).toBe(false);
    await expect(findSession(cookie)).rejects.toMatchObject({ ...isOver, cause: "limit" });
  });
});
