import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { claimsOf, later, offline, partyOf, refusal, secondsLeft } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterAll(() => realm.close());

const turn = (revokeRefreshToken: boolean, refreshTokenMaxReuse = 0) => realm.order({ revokeRefreshToken, refreshTokenMaxReuse });

describe("rotation turned while sessions live", () => {
  afterEach(() => turn(false));

  it("on: a token that was used before has its first use counted from now on", async () => {
    const { tokens } = await party.signIn("uma");
    await party.refresh("sluice-web", tokens.refresh_token);
    await turn(true);
    await later();
    const one = await party.refresh("sluice-web", tokens.refresh_token);
    await later();
    expect([one.status, (await party.refresh("sluice-web", tokens.refresh_token)).status]).toEqual([200, 400]);
  });

  it("off: a spent token works again", async () => {
    await turn(true);
    const { tokens } = await party.signIn("uma");
    await later();
    const one = await party.refresh("sluice-web", tokens.refresh_token);
    await turn(false);
    await later();
    const two = await party.refresh("sluice-web", tokens.refresh_token);
    await later();
    const three = await party.refresh("sluice-web", one.body.refresh_token);
    expect([one.status, two.status, three.status]).toEqual([200, 200, 200]);
  });

  it("a higher count lets the last token be used once more", async () => {
    await turn(true);
    const { tokens } = await party.signIn("uma");
    await later();
    await party.refresh("sluice-web", tokens.refresh_token);
    await turn(true, 1);
    await later();
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  });
});

describe("with rotation on", () => {
  beforeAll(() => turn(true));
  afterAll(() => turn(false));

  describe.concurrent("the browser's session", () => {
    it("survives a token used too often: the next sign-in is silent, with the same sid", async () => {
      const { tokens, browser, claims } = await party.signIn("uma");
      await later();
      await party.refresh("sluice-web", tokens.refresh_token);
      await later();
      await party.refresh("sluice-web", tokens.refresh_token);
      const silent = await party.signIn("uma", { browser });
      expect(silent.asked).toEqual([]);
      expect(silent.claims.sid).toBe(claims.sid);
      expect((await party.refresh("sluice-web", silent.tokens.refresh_token)).status).toBe(200);
    });

    it("gives two sign-ins one client session with a chain each: reuse in one ends both", async () => {
      const one = await party.signIn("uma");
      await later();
      const two = await party.signIn("uma", { browser: one.browser });
      expect(two.claims.sid).toBe(one.claims.sid);
      await later();
      const first = await party.refresh("sluice-web", one.tokens.refresh_token);
      await later();
      const second = await party.refresh("sluice-web", two.tokens.refresh_token);
      await later();
      expect([first.status, second.status]).toEqual([200, 200]);
      expect((await party.refresh("sluice-web", first.body.refresh_token)).status).toBe(200);
      await later();
      expect((await party.refresh("sluice-web", one.tokens.refresh_token)).status).toBe(400);
      expect((await party.refresh("sluice-web", second.body.refresh_token)).status).toBe(400);
    });
  });

  describe.concurrent("a refresh", () => {
    it("keeps session and scope, gives all tokens anew, and moves the end of the refresh token", async () => {
      const { tokens, claims } = await party.signIn("uma");
      await later();
      const { body } = await party.refresh("sluice-web", tokens.refresh_token);
      expect(body).toMatchObject({ refresh_expires_in: secondsLeft(1800), expires_in: secondsLeft(60), session_state: claims.sid, scope: tokens.scope });
      expect(claimsOf(body.access_token)).toMatchObject({ sid: claims.sid, sub: claims.sub, auth_time: claims.auth_time, acr: claims.acr });
      expect(claimsOf(body.access_token).jti).not.toBe(claims.jti);
      expect(claimsOf(body.id_token)).toMatchObject({ sid: claims.sid, aud: "sluice-web" });
      expect(Number(claimsOf(body.refresh_token).exp)).toBeGreaterThan(Number(claimsOf(tokens.refresh_token).exp));
    });

    it("leaves access tokens that came before alone", async () => {
      const { tokens } = await party.signIn("uma");
      await later();
      await party.refresh("sluice-web", tokens.refresh_token);
      expect((await party.userinfo(tokens.access_token)).status).toBe(200);
    });
  });

  describe.concurrent("a client that lost its place in a session", () => {
    const online = { client: "sluice-web", more: {} } as const;
    const granted = { client: "sluice-machine", more: offline } as const;

    it.each([["online", online], ["offline", granted]])("%s, gets it back by signing in again, silently, while tokens from before stay dead", async (_, kind) => {
      const { browser } = await party.signIn("uma");
      const first = (await party.signIn("uma", { ...kind, browser })).tokens;
      await later();
      const second = (await party.refresh(kind.client, first.refresh_token)).body;
      await later();
      expect((await party.refresh(kind.client, first.refresh_token)).status).toBe(400);
      await later();
      const again = await party.signIn("uma", { ...kind, browser });
      expect(again.asked).toEqual([]);
      await later();
      expect(await party.refresh(kind.client, second.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "refresh token issued before the client session started"));
      expect((await party.userinfo(second.access_token)).status).toBe(401);
      expect((await party.refresh(kind.client, again.tokens.refresh_token)).status).toBe(200);
    });
  });
});
