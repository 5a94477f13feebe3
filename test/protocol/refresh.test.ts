import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, later, offline, partyOf, refusal } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterAll(() => realm.close());

const turn = (revokeRefreshToken: boolean, refreshTokenMaxReuse = 0) => realm.order({ revokeRefreshToken, refreshTokenMaxReuse });
const exceeded = refusal(400, "invalid_grant", "Maximum allowed refresh token reuse exceeded");
const stale = refusal(400, "invalid_grant", "Stale token");
const gone = refusal(400, "invalid_grant", "Session doesn't have required client");

/** One sign-in of each kind. People differ, so that all may be tried at once. */
const kinds = [
  { kind: "online", client: "sluice-web", start: async () => (await party.signIn("uma")).tokens.refresh_token as unknown },
  { kind: "offline by consent", client: "sluice-machine", start: async () => (await party.signIn("ada", { client: "sluice-machine", more: offline })).tokens.refresh_token as unknown },
  { kind: "offline by password", client: "sluice-direct", start: async () => (await party.byPassword("vic", offline)).body.refresh_token },
];

// Consent is given once, before several browsers ask for it at the same time.
beforeAll(async () => void (await kinds[1]?.start()));

const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

/** The same token used by so many at the same time. */
async function atOnce(refresh: (token: unknown) => Promise<Answer>, token: unknown): Promise<Answer[]> {
  await later();
  return Promise.all(Array.from({ length: 20 }, () => refresh(token)));
}

describe("rotation off", () => {
  beforeAll(() => turn(false));

  describe.concurrent.each(kinds)("$kind", ({ client, start }) => {
    const refresh = (token: unknown) => party.refresh(client, token);

    it("a token works for ever, and every answer is good", async () => {
      const first = await start();
      const one = await refresh(first);
      await later();
      const two = await refresh(first);
      await later();
      expect(statuses([one, two])).toEqual([200, 200]);
      expect(statuses([await refresh(one.body.refresh_token), await refresh(two.body.refresh_token)])).toEqual([200, 200]);
    });

    it("of twenty at once twenty are good", async () => {
      const answers = await atOnce(refresh, await start());
      expect(statuses(answers)).toEqual(Array.from({ length: 20 }, () => 200));
      for (const { body } of answers.slice(0, 3)) expect((await refresh(body.refresh_token)).status).toBe(200);
    });
  });
});

describe("rotation on, no reuse", () => {
  beforeAll(() => turn(true));
  afterAll(() => turn(false));

  describe.concurrent.each(kinds)("$kind", ({ client, start }) => {
    const refresh = (token: unknown) => party.refresh(client, token);

    it("each token works once, in a chain", async () => {
      let token = await start();
      for (let step = 0; step < 2; step++) {
        await later();
        const { status, body } = await refresh(token);
        expect(status).toBe(200);
        expect(body.refresh_token).not.toBe(token);
        token = body.refresh_token;
      }
    });

    it("a second use ends the client session, the winner's tokens too", async () => {
      const first = await start();
      await later();
      const winner = await refresh(first);
      await later();
      expect(await refresh(first)).toMatchObject(exceeded);
      expect(await refresh(winner.body.refresh_token)).toMatchObject(gone);
      expect((await party.introspect(client, winner.body.access_token)).body).toEqual({ active: false });
    });

    it("a spent token after its successor was used is stale, and ends the client session", async () => {
      const first = await start();
      await later();
      const second = await refresh(first);
      await later();
      const third = await refresh(second.body.refresh_token);
      await later();
      expect(await refresh(first)).toMatchObject(stale);
      expect(await refresh(third.body.refresh_token)).toMatchObject(gone);
    });

    it("of twenty at once one is answered, and is dead when it arrives", async () => {
      const good = (await atOnce(refresh, await start())).filter(({ status }) => status === 200);
      expect(good).toHaveLength(1);
      expect(await refresh(good[0]?.body.refresh_token)).toMatchObject(gone);
    });
  });
});

describe("rotation on, one reuse", () => {
  beforeAll(() => turn(true, 1));
  afterAll(() => turn(false));

  describe.concurrent.each(kinds)("$kind", ({ client, start }) => {
    const refresh = (token: unknown) => party.refresh(client, token);

    /** The same token used twice, as after a lost answer. */
    const twice = async () => {
      const first = await start();
      await later();
      const earlier = await refresh(first);
      await later();
      const latest = await refresh(first);
      await later();
      expect(statuses([earlier, latest])).toEqual([200, 200]);
      return { first, earlier: earlier.body.refresh_token, latest: latest.body.refresh_token };
    };

    it("a token works twice, and so does its later successor", async () => {
      const { latest } = await twice();
      const once = await refresh(latest);
      await later();
      expect(statuses([once, await refresh(latest)])).toEqual([200, 200]);
    });

    it("the earlier successor is stale and ends the client session", async () => {
      const { earlier, latest } = await twice();
      expect(await refresh(earlier)).toMatchObject(stale);
      expect(await refresh(latest)).toMatchObject(gone);
    });

    it("a third use ends the client session", async () => {
      const { first, latest } = await twice();
      expect(await refresh(first)).toMatchObject(exceeded);
      expect(await refresh(latest)).toMatchObject(gone);
    });

    it("of twenty at once two are answered, and both are dead", async () => {
      const good = (await atOnce(refresh, await start())).filter(({ status }) => status === 200);
      expect(good).toHaveLength(2);
      for (const { body } of good) expect(await refresh(body.refresh_token)).toMatchObject(gone);
    });
  });
});

