import { jwtVerify } from "jose";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { later, offline, partyOf, refusal, secretOf } from "./party";
import { aProtocolRealm, sluiceUrl } from "./provider";
import { startReceiver } from "./receiver";

const receiver = await startReceiver();
const realm = await aProtocolRealm({ backchannelUrl: receiver.url });
const party = partyOf(realm);
beforeEach(() => {
  receiver.answerWith(200);
  receiver.beforeAnswering(async () => undefined);
  receiver.take();
});
afterEach(() => realm.order({ reset: true }));
afterAll(async () => {
  await realm.close();
  await receiver.close();
});

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout";

/** A browser with a session at the portal, in which the machine client was granted an offline session. */
async function withGrant(username: string) {
  const web = await party.signIn(username);
  const machine = await party.signIn(username, { client: "sluice-machine", browser: web.browser, more: offline });
  return { web, machine, browser: web.browser, sid: String(web.claims.sid) };
}

const signOut = (web: { tokens: { id_token: string } }) =>
  fetch(party.logoutUrl({ id_token_hint: web.tokens.id_token, post_logout_redirect_uri: `${sluiceUrl}/bye` }), { redirect: "manual" });

/** Nothing may still be under way when a test says that nothing came. */
async function nothingComes(): Promise<void> {
  await later(300);
  expect(receiver.take()).toEqual([]);
}

describe("a logout token", () => {
  it("is posted as a form and says whose session at which client has ended, signed by the realm", async () => {
    const web = await party.signIn("uma");
    expect((await signOut(web)).status).toBe(302);
    const [heard, ...more] = receiver.take();
    expect(more).toEqual([]);
    expect(heard).toMatchObject({ path: "/api/auth/backchannel-logout", method: "POST", contentType: expect.stringMatching(/^application\/x-www-form-urlencoded/) as string });
    const { payload, protectedHeader } = await jwtVerify(heard?.token ?? "", party.keys, { issuer: realm.issuer, audience: "sluice-web" });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "logout+jwt", kid: expect.any(String) as string });
    expect(payload).toEqual({
      iss: realm.issuer, aud: "sluice-web", sub: web.claims.sub, sid: web.claims.sid, typ: "Logout", jti: expect.any(String) as string,
      iat: expect.any(Number) as number, exp: Number(payload.iat) + 120, events: { [logoutEvent]: {} },
    });
    expect(Math.abs(Number(payload.iat) * 1000 - (heard?.at ?? 0))).toBeLessThan(3000);
  });

  it("is another one each time", async () => {
    for (const web of [await party.signIn("uma"), await party.signIn("uma")]) await signOut(web);
    const ids = await Promise.all(receiver.take().map(async ({ token }) => (await jwtVerify(token, party.keys)).payload.jti));
    expect(new Set(ids).size).toBe(2);
  });
});

describe("who is told", () => {
  it("by a sign-out in the browser: each client of the session", async () => {
    const { web } = await withGrant("uma");
    await signOut(web);
    expect(receiver.takeAudiences()).toEqual(["sluice-machine", "sluice-web"]);
  });

  it("by a sign-out of the portal's own session, when another browser has one: that browser's clients are not", async () => {
    const here = await party.signIn("uma");
    await party.signIn("uma");
    await signOut(here);
    const heard = receiver.take();
    expect(heard).toHaveLength(1);
    expect((await jwtVerify(heard[0]?.token ?? "", party.keys)).payload.sid).toBe(here.claims.sid);
  });

  it("by POST /logout with a refresh token: each client of the session", async () => {
    const { web } = await withGrant("uma");
    await party.post("logout", { ...secretOf("sluice-web"), refresh_token: web.tokens.refresh_token });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine", "sluice-web"]);
  });

  it("by an administrator's sign-out of the person: each client of each online session", async () => {
    await withGrant("vic");
    await party.signIn("vic");
    await party.byPassword("vic");
    await realm.order({ logoutUser: "vic" });
    expect(receiver.takeAudiences()).toEqual(["sluice-direct", "sluice-machine", "sluice-web", "sluice-web"]);
  });

  it("by an administrator's sign-out: nobody about grants without a browser's session", async () => {
    await party.byPassword("nel", offline);
    await party.signIn("nel", { client: "sluice-machine", more: offline });
    receiver.take();
    await realm.order({ logoutUser: "nel" });
    await nothingComes();
  });

  it("by DELETE of the session: each client in it", async () => {
    const { sid } = await withGrant("uma");
    await realm.order({ deleteSession: { sid } });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine", "sluice-web"]);
  });

  it("by DELETE of the offline session: the offline client", async () => {
    const { claims } = await party.signIn("uma", { client: "sluice-machine", more: offline });
    await realm.order({ deleteSession: { sid: String(claims.sid), offline: true } });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine"]);
  });

  it("by the end of an offline session: nobody else, though the browser's session of the same sid ends too", async () => {
    const { sid } = await withGrant("uma");
    await realm.order({ deleteSession: { sid, offline: true } });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine"]);
    const { machine } = await withGrant("uma");
    await party.post("logout", { ...secretOf("sluice-machine"), refresh_token: machine.tokens.refresh_token });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine"]);
  });

  it("by withdrawn consent: the client that it was given to, where it is in a browser's session", async () => {
    await withGrant("uma");
    await realm.order({ revokeGrant: "uma" });
    expect(receiver.takeAudiences()).toEqual(["sluice-machine"]);
  });
});

describe("nobody is told", () => {
  it("when a grant is given by a browser that came for nothing else, or by password", async () => {
    await party.signIn("uma", { client: "sluice-machine", more: offline });
    await party.byPassword("uma", offline);
    await nothingComes();
  });

  it("when a person is disabled, or enabled again", async () => {
    await withGrant("dis");
    await realm.order({ disableUser: "dis" });
    await realm.order({ enableUser: "dis" });
    await nothingComes();
  });

  it("when a person is deleted", async () => {
    await withGrant("gus");
    await realm.order({ deleteUser: "gus" });
    await nothingComes();
  });

  it("when a token is revoked, used too often or refused", async () => {
    await realm.order({ revokeRefreshToken: true });
    const { web, machine } = await withGrant("uma");
    await party.revoke("sluice-machine", machine.tokens.refresh_token);
    await party.refresh("sluice-web", web.tokens.refresh_token);
    await later();
    await party.refresh("sluice-web", web.tokens.refresh_token);
    await nothingComes();
  });

  it("when consent is withdrawn for a grant without a browser's session", async () => {
    await party.signIn("uma", { client: "sluice-machine", more: offline });
    receiver.take();
    await realm.order({ revokeGrant: "uma" });
    await nothingComes();
  });
});

describe("while a client is being told", () => {
  const ends: [string, (g: Awaited<ReturnType<typeof withGrant>>) => Promise<unknown>][] = [
    ["a sign-out in the browser", ({ web }) => signOut(web)],
    ["DELETE of the offline session", ({ sid }) => realm.order({ deleteSession: { sid, offline: true } })],
    ["an administrator's sign-out", () => later().then(() => realm.order({ logoutUser: "uma" }))],
    ["withdrawn consent", () => realm.order({ revokeGrant: "uma" })],
  ];
  it.each(ends)("%s: its tokens still work, so trying them there proves nothing", async (_, end) => {
    const granted = await withGrant("uma");
    // Read only: a refresh may have to wait until the sign-out has written, and so for us.
    const areGood = () => Promise.all([granted.web, granted.machine].map(async ({ tokens }) => (await party.userinfo(tokens.access_token)).status));
    const whileTold: number[][] = [];
    receiver.beforeAnswering(async () => void whileTold.push(await areGood()));
    await end(granted);
    expect(whileTold.length).toBeGreaterThan(0);
    for (const statuses of whileTold) expect(statuses).toEqual([200, 200]);
    expect(await areGood()).toContain(401);
  });
});

describe("a receiver in trouble does not hold up the sign-out", () => {
  it.each([[500], [404], [405]])("when it answers %i: told once, never again", async (status) => {
    const web = await party.signIn("uma");
    receiver.answerWith(status);
    expect((await signOut(web)).status).toBe(302);
    expect(await party.refresh("sluice-web", web.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Session not active"));
    expect(receiver.take()).toHaveLength(1);
    await nothingComes();
  });

  it("when it hangs: waited for five seconds, told once, never again", async () => {
    const web = await party.signIn("uma");
    receiver.answerWith(null);
    const started = Date.now();
    expect((await signOut(web)).status).toBe(302);
    const tookMs = Date.now() - started;
    expect(tookMs).toBeGreaterThan(4000);
    expect(tookMs).toBeLessThan(9000);
    expect(await party.refresh("sluice-web", web.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Session not active"));
    expect(receiver.take()).toHaveLength(1);
    await later(1000);
    await nothingComes();
  });
});
