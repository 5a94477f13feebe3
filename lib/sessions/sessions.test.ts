import { type ChildProcess, fork } from "node:child_process";
import { encode } from "@auth/core/jwt";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import type { SessionHandle } from "@/lib/access";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { forgetKeycloak, requestToken } from "@/lib/platform/keycloak";
import * as discovery from "@/lib/platform/keycloak-discovery";
import { withRedis } from "@/lib/platform/redis";
import { untilFinished } from "@/lib/platform/unfinished";
import { getPersonState } from "@/lib/tenants";
import { unknownCaller } from "./audit";
import { type Envelope, handleOf, sessionCookieName } from "./cookie";
import { createSession } from "./create-session";
import { aSignIn, type SignedIn } from "./sign-in.fixture";
import type { Ask, Told } from "./refresh.child";
import { endSession, findSession, getSessionToken } from ".";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
beforeEach(async () => {
  await realm.control({ reset: true });
  await realm.forgetCalls();
  await withRedis(async (client) => {
    const breakers = await client.keys("sl:idp:cb:*");
    if (breakers.length) await client.del(...breakers);
  });
});
afterEach(() => resetClock());
afterAll(() => realm.close());

async function signIn(username = "uma", options: { expired?: boolean } = {}): Promise<{ envelope: Envelope; handle: SessionHandle; cookie: string }> {
  const tokens = await realm.tokensFor(username);
  const envelope = await createSession(options.expired ? realm.expired(tokens) : tokens, unknownCaller());
  const name = sessionCookieName();
  const cookie = `other=1; ${name}=${await encode({ token: { ...envelope }, secret: env().AUTH_SECRET, salt: name, maxAge: 3600 })}`;
  return { envelope, handle: handleOf(envelope), cookie };
}

const audOf = (token: string) => decodeJwt(token).aud;
const refreshes = () => realm.calls("refresh_token");
const recordKey = (handle: SessionHandle, part: string) => `sl:s:{${handle.sessionId}}:${part}`;

describe("a session", () => {
  it("is found by its cookie, and by no other", async () => {
    const { cookie, handle } = await signIn();
    const found = await findSession(cookie);
    expect(found?.handle).toEqual(handle);
    expect((await getPersonState(found?.userId ?? "")).person.username).toBe("uma");
    expect(await findSession(null)).toBeNull();
    expect(await findSession(`${sessionCookieName()}=nonsense`)).toBeNull();
    const stranger = await encode({ token: { h: "A".repeat(43), k: "B".repeat(43), v: 1 }, secret: env().AUTH_SECRET, salt: sessionCookieName() });
    await expect(findSession(`${sessionCookieName()}=${stranger}`)).rejects.toMatchObject({ code: "session_expired" });
  });

  it("somebody without a role signs in", async () => {
    const { cookie } = await signIn("nel");
    const found = await findSession(cookie);
    expect((await getPersonState(found?.userId ?? "")).person.role).toBeNull();
  });

  it("ends when idle, and at its absolute end however busy", async () => {
    const { cookie } = await signIn();
    moveClock(env().SESSION_IDLE_SECONDS * 1000 + 1000);
    await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired" });
    resetClock();
    const busy = await signIn();
    const step = (env().SESSION_IDLE_SECONDS * 1000) / 2;
    let elapsed = 0;
    for (; elapsed + step < env().SESSION_ABSOLUTE_SECONDS * 1000; elapsed += step) {
      expect(await findSession(busy.cookie)).not.toBeNull();
      await untilFinished(10_000);
      moveClock(step);
    }
    moveClock(step);
    await expect(findSession(busy.cookie)).rejects.toMatchObject({ code: "session_expired" });
  });

  it("is used until Keycloak's own end of it and no longer, unless somebody is here to have it renewed", async () => {
    const tokens = await realm.tokensFor("uma");
    const until = async (refreshExpiresAt: number | null) => aSignIn({ ...tokens, refreshExpiresAt });
    const [idle, busy, open] = [await until(Date.now() + 300_000), await until(Date.now() + 300_000), await until(null)];
    moveClock(200_000);
    expect(await findSession(busy.cookie)).not.toBeNull();
    await untilFinished(10_000);
    moveClock(101_000);
    await expect(findSession(idle.cookie)).rejects.toMatchObject({ code: "session_expired", cause: "timed out" });
    expect(await findSession(busy.cookie)).not.toBeNull();
    expect(await findSession(open.cookie)).not.toBeNull();
    expect(await refreshes()).toBe(1);
  });

  it("past the limit takes the place of the person's oldest", async () => {
    setEnv({ ...env(), SESSION_MAX_PER_USER: 2 });
    const all: SignedIn[] = [];
    for (let i = 0; i < 4; i++) {
      moveClock(1000);
      all.push(await aSignIn(await realm.tokensFor("gus")));
    }
    setEnv(undefined);
    const [first, second, third, fourth] = await Promise.allSettled(all.map(({ cookie }) => findSession(cookie)));
    for (const ended of [first, second]) expect(ended).toMatchObject({ status: "rejected", reason: { code: "session_expired", cause: "limit" } });
    for (const living of [third, fourth]) expect(living).toMatchObject({ status: "fulfilled", value: { userId: expect.any(String) as string } });
  });

  it("is over once signed out, and Keycloak refuses its tokens", async () => {
    const tokens = await realm.tokensFor("vic");
    const { cookie, handle } = await aSignIn(tokens);
    const { logoutUrl, state } = await endSession(handle);
    expect(logoutUrl).toBe(`${env().AUTH_URL}/signed-out?state=${state}`);
    await expect(requestToken("web", { grant_type: "refresh_token", refresh_token: tokens.refreshToken ?? "" })).rejects.toMatchObject({ kind: "invalid_grant" });
    await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired" });
    const events = await db().auditEvent.findMany({ where: { targetId: handle.sessionId }, orderBy: { writeOrder: "asc" } });
    expect(events.map((e) => e.action)).toEqual(["session.created", "session.ended"]);
  });

  it("signed out while Keycloak is away is over here, and nobody is told that it were over there", async () => {
    const { cookie, handle } = await signIn("vic");
    setEnv({ ...env(), KEYCLOAK_ISSUER: "http://localhost:9/realms/sluice" });
    forgetKeycloak();
    expect(await endSession(handle)).toEqual({ logoutUrl: `${env().AUTH_URL}/signed-out`, state: null });
    setEnv(undefined);
    forgetKeycloak();
    await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired" });
  });

  it("signed out twice leads to Keycloak's page that asks, and no address holds a token", async () => {
    const { handle } = await signIn("vic");
    await endSession(handle);
    const url = new URL((await endSession(handle)).logoutUrl);
    expect(Object.fromEntries(url.searchParams)).toEqual({ client_id: "sluice-web", post_logout_redirect_uri: `${env().AUTH_URL}/signed-out`, state: expect.any(String) as string });
  });

  it("ended at Keycloak by a mark is over at once", async () => {
    const { cookie } = await signIn();
    expect(await findSession(cookie)).not.toBeNull();
    const found = await findSession(cookie);
    const sid = await withRedis((client) => client.hget(recordKey(found?.handle ?? { sessionId: "", share: "" }, "m"), "kc_sid"));
    await withRedis((client) => client.set(`sl:kill:sid:${sid}`, "1", "EX", 60));
    await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired" });
  });

  it("whose blob is another session's, or an earlier one of its own, is over for good, and the log of who did what says why", async () => {
    const [moved, rolledBack, other] = [await signIn(), await signIn(), await signIn()];
    await withRedis(async (client) => client.set(recordKey(moved.handle, "t"), (await client.get(recordKey(other.handle, "t"))) ?? ""));
    await withRedis((client) => client.hset(recordKey(rolledBack.handle, "m"), "gen", 2));
    for (const { handle, cookie } of [moved, rolledBack]) {
      await expect(getSessionToken(handle, "nflow")).rejects.toMatchObject({ code: "session_expired" });
      await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired", cause: "tampered" });
      const events = await db().auditEvent.findMany({ where: { targetId: handle.sessionId }, orderBy: { writeOrder: "asc" } });
      expect(events.map((e) => e.action)).toEqual(["session.created", "session.tamper_detected", "session.ended"]);
    }
    expect(await getSessionToken(other.handle, "nflow")).toMatchObject({ generation: 1 });
  });

  it("does not open for somebody who has the handle but not the share", async () => {
    const { handle } = await signIn();
    await expect(getSessionToken({ ...handle, share: "C".repeat(43) }, "nflow")).rejects.toMatchObject({ code: "session_expired" });
    expect(await getSessionToken(handle, "nflow")).toBeTruthy();
  });
});

describe("the session's token for an engine", () => {
  it("names that engine alone, and two engines at once are not mixed up", async () => {
    const { handle } = await signIn();
    const asked = Array.from({ length: 100 }, (_, i) => (i % 2 ? ("nflow" as const) : ("flowise" as const)));
    const got = await Promise.all(asked.map((audience) => getSessionToken(handle, audience)));
    expect(got.map((t) => audOf(t.accessToken))).toEqual(asked);
    expect(await realm.calls("urn:ietf:params:oauth:grant-type:token-exchange")).toBe(2);
    expect(await refreshes()).toBe(0);
  });

  it("without narrowing it is the session's own", async () => {
    const { handle } = await signIn();
    setEnv({ ...env(), TOKEN_NARROWING: "none" });
    expect(audOf((await getSessionToken(handle, "nflow")).accessToken)).toContain("sluice-web");
    setEnv(undefined);
  });

  it("refused by an engine, it is replaced by one refresh for all, and not again at once", async () => {
    const { handle } = await signIn();
    const first = await getSessionToken(handle, "nflow");
    const next = await Promise.all(Array.from({ length: 20 }, () => getSessionToken(handle, "nflow", { staleGeneration: first.generation })));
    expect(new Set(next.map((t) => t.generation))).toEqual(new Set([2]));
    expect((await getSessionToken(handle, "nflow", { staleGeneration: 2 })).generation).toBe(2);
    expect(await refreshes()).toBe(1);
  });

  it("carries a role that was taken away in Keycloak over to the person", async () => {
    const { handle, cookie } = await signIn("uma", { expired: true });
    await realm.control({ setRoles: { uma: ["viewer"] } });
    await getSessionToken(handle, "nflow");
    const found = await findSession(cookie);
    expect((await getPersonState(found?.userId ?? "")).person.role).toBe("viewer");
  });
});

describe("a refresh that fails", () => {
  it("brings no role back that was taken away between two refreshes, though the earlier one's answer comes last", async () => {
    const [slow, quick] = [await signIn("vic", { expired: true }), await signIn("vic", { expired: true })];
    await realm.control({ setRoles: { vic: ["admin"] }, tokenHoldMs: 5000, tokenTimes: 1, tokenGrants: ["refresh_token"] });
    const from = Math.floor(Date.now() / 1000);
    const slowly = getSessionToken(slow.handle, "nflow");
    await expect.poll(() => realm.calls("refresh_token", { carriedOut: true }), { timeout: 10_000 }).toBe(1);
    await realm.control({ setRoles: { vic: ["viewer"] } });
    // Tokens tell the second of their making alone.
    await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 5000 }).toBeGreaterThan(from + 1);
    const role = async () => (await getPersonState((await findSession(quick.cookie))?.userId ?? "")).person.role;
    await getSessionToken(quick.handle, "nflow");
    expect(await role()).toBe("viewer");
    await slowly;
    expect(await role()).toBe("viewer");
    await realm.control({ setRoles: { vic: ["user"] } });
    expect((await getPersonState((await findSession((await signIn("vic")).cookie))?.userId ?? "")).person.role).toBe("user");
  });

  it("invalid_grant ends the session, without another call", async () => {
    const { handle, cookie } = await signIn("dis", { expired: true });
    await realm.control({ disableUser: "dis" });
    await expect(getSessionToken(handle, "nflow")).rejects.toMatchObject({ code: "session_expired" });
    await expect(getSessionToken(handle, "nflow")).rejects.toMatchObject({ code: "session_expired" });
    await expect(findSession(cookie)).rejects.toMatchObject({ code: "session_expired" });
    expect(await refreshes()).toBe(1);
  });

  it.each([{ tokenStatus: 503 }, { tokenError: "invalid_client" }])("%o keeps the session, and it works again", async (fault) => {
    const { handle, cookie } = await signIn("uma", { expired: true });
    await realm.control(fault);
    const failed = await Promise.allSettled(Array.from({ length: 10 }, () => getSessionToken(handle, "nflow")));
    for (const f of failed) expect(f).toMatchObject({ status: "rejected", reason: { code: "identity_unavailable" } });
    expect(await refreshes()).toBe(1);
    expect(await findSession(cookie)).not.toBeNull();
    await realm.control({ reset: true });
    moveClock(6000);
    expect(await getSessionToken(handle, "nflow")).toMatchObject({ generation: 2 });
  });

  it("a call leaves a frozen Keycloak, and the session is renewed when the answer comes", async () => {
    const { handle } = await signIn("uma", { expired: true });
    const look = vi.spyOn(discovery, "answersAtAll").mockResolvedValue(false);
    await realm.control({ tokenDelayMs: 2500, tokenTimes: 1 });
    await expect(getSessionToken(handle, "nflow")).rejects.toMatchObject({ code: "identity_unavailable" });
    look.mockRestore();
    expect(await getSessionToken(handle, "nflow")).toMatchObject({ generation: 2 });
    expect(await refreshes()).toBe(1);
  });

  it("does not disturb a token that still lives", async () => {
    const tokens = await realm.tokensFor("uma");
    const handle = handleOf(await createSession({ ...tokens, expiresAt: Date.now() + 20_000 }, unknownCaller()));
    await realm.control({ tokenStatus: 503 });
    setEnv({ ...env(), TOKEN_NARROWING: "none" });
    expect(await getSessionToken(handle, "nflow")).toMatchObject({ generation: 1 });
    setEnv(undefined);
  });
});

// Starting a process takes a machine that is busy many seconds.
describe("several processes", { timeout: 120_000 }, () => {
  const children: ChildProcess[] = [];
  const child = async (): Promise<ChildProcess> => {
    const process = fork(`${import.meta.dirname}/refresh.child.ts`, { execArgv: ["--conditions=react-server", "--import", "tsx"] });
    children.push(process);
    await new Promise((ready) => process.once("message", ready));
    return process;
  };
  const ask = (process: ChildProcess, what: Ask) => new Promise<Exclude<Told, "ready">>((told) => {
    process.once("message", told);
    process.send(what);
  });
  afterAll(() => children.forEach((c) => c.kill("SIGKILL")));

  it("fifty calls over two of them with an expired token make one refresh", async () => {
    const [one, two] = await Promise.all([child(), child()]);
    await realm.control({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const { handle } = await signIn("uma", { expired: true });
    const audiences = Array.from({ length: 25 }, (_, i) => (i % 2 ? ("nflow" as const) : ("flowise" as const)));
    await realm.control({ tokenDelayMs: 300 });
    const told = await Promise.all([ask(one, { handle, audiences }), ask(two, { handle, audiences })]);
    expect(told.flatMap((t) => t.errors)).toEqual([]);
    expect(told.flatMap((t) => t.tokens)).toHaveLength(50);
    expect(await refreshes()).toBe(1);
  });

  it("one that is killed while it refreshes is followed by another", async () => {
    const [one, two] = await Promise.all([child(), child()]);
    const { handle } = await signIn("uma", { expired: true });
    await realm.control({ tokenDelayMs: 5000 });
    void ask(one, { handle, audiences: ["nflow"] });
    await expect.poll(refreshes, { timeout: 10_000 }).toBe(1);
    one.kill("SIGKILL");
    await realm.control({ tokenDelayMs: 0 });
    // Whoever waits for the dead one gives up with an error in the end; that there is none says enough.
    const told = await ask(two, { handle, audiences: ["nflow"] });
    expect(told.errors).toEqual([]);
    expect(told.tokens).toHaveLength(1);
  });

  it("a rotated token whose answer was lost costs a sign-in, and no more than one try", async () => {
    const [one, two] = await Promise.all([child(), child()]);
    await realm.control({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const { handle } = await signIn("uma", { expired: true });
    await realm.control({ tokenHoldMs: 5000 });
    void ask(one, { handle, audiences: ["nflow"] });
    await expect.poll(() => realm.calls("refresh_token", { carriedOut: true }), { timeout: 10_000 }).toBe(1);
    one.kill("SIGKILL");
    await realm.control({ tokenHoldMs: 0 });
    expect((await ask(two, { handle, audiences: ["nflow", "flowise"] })).errors).toEqual(["session_expired", "session_expired"]);
    expect(await refreshes()).toBe(2);
    expect(await withRedis((client) => client.hget(recordKey(handle, "m"), "dead_reason"))).toBe("rotation_lost");
  });
});
