import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { control, resetParts } from "../http/client";
import { anExpiredSession, answers, type Fleet, isReal, rotations, search, type Session, startFleet } from "./fleet";
import { refreshesSince } from "./ledger";

let fleet: Fleet;

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet();
});
afterEach(resetParts);
afterAll(() => fleet.stop());

const refreshOnly = { tokenGrants: ["refresh_token"] };
// A lock that nobody holds any more lasts six seconds, so the short run keeps to the settings that differ.
const waiting = isReal ? rotations : rotations.filter(({ forgives, settings }) => !forgives || settings.revokeRefreshToken);
const strict = rotations.filter(({ forgives }) => !forgives);

/** Asks the first member, which will not live to answer, and comes back when its refresh has got as far as `until`. */
async function holding(session: Session, from: number, until: "sent" | "granted"): Promise<void> {
  search(fleet.at(0), session).catch(() => undefined);
  await expect.poll(async () => (await refreshesSince(from))[until], { timeout: 20_000 }).toBe(1);
}

const askOthers = async (session: Session, calls: number) => answers(await Promise.all(Array.from({ length: calls }, (_, i) => search(fleet.at(1 + (i % 2)), session))));

describe.each(isReal ? rotations : strict)("with $name", ({ settings }) => {
  it("a token endpoint that takes six seconds is asked once for fifty calls, and none fails", async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    await control("identity", { tokenDelayMs: 6000, ...(isReal ? {} : refreshOnly) });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => search(fleet.at(i), session)));
    expect([...new Set(answers(results))]).toEqual(["200"]);
    expect(await refreshesSince(from)).toMatchObject({ sent: 1, granted: 1, refused: 0 });
  });

  it("a holder killed before its request reached Keycloak is followed within eight seconds, and the token is spent once", async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    await control("identity", { tokenDelayMs: 12_000, ...refreshOnly });
    await holding(session, from, "sent");
    const killedAt = Date.now();
    await fleet.kill(fleet.at(0));
    await control("identity", { tokenDelayMs: 0 });
    expect(await askOthers(session, 6)).toEqual(Array(6).fill("200"));
    expect(Date.now() - killedAt).toBeLessThan(isReal ? 8000 : 10_000);
    expect(await refreshesSince(from)).toMatchObject({ sent: 2, granted: 1, refused: 0 });
    await fleet.replace(fleet.at(0));
  });
});

describe.each(waiting)("with $name", ({ settings, forgives }) => {
  it(`a holder killed after Keycloak answered ${forgives ? "costs nothing" : "costs one sign-in, one refusal and no other call"}`, async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    await control("identity", { tokenHoldMs: 12_000, ...refreshOnly });
    await holding(session, from, "granted");
    await fleet.kill(fleet.at(0));
    await control("identity", { tokenHoldMs: 0 });
    expect(await askOthers(session, 6)).toEqual(Array(6).fill(forgives ? "200" : "401 session_expired"));
    const expected = { sent: 2, granted: forgives ? 2 : 1, refused: forgives ? 0 : 1 };
    expect(await refreshesSince(from)).toMatchObject(expected);
    await fleet.replace(fleet.at(0));
    if (forgives) return;
    expect([await session.meta("state"), await session.meta("dead_reason")]).toEqual(["dead", "rotation_lost"]);
    await askOthers(session, 6);
    expect(await refreshesSince(from)).toMatchObject(expected);
  });

  it("a holder that was paused beyond its lock neither overwrites nor revokes what another did meanwhile", async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    await control("identity", { tokenHoldMs: 2000, ...refreshOnly });
    const asked = search(fleet.at(0), session);
    await expect.poll(async () => (await refreshesSince(from)).granted, { timeout: 20_000 }).toBe(1);
    fleet.at(0).signal("SIGSTOP");
    // What the other one fetches counts as over at once, so that the call after it shows whether its refresh token still works.
    await control("identity", { tokenHoldMs: 0, tokenExpiresIn: 0 });
    const others = await askOthers(session, 2);
    fleet.at(0).signal("SIGCONT");
    const [slept] = answers([await asked]);
    await control("identity", { tokenExpiresIn: null });
    if (!forgives) {
      expect([others, slept, await session.meta("dead_reason")]).toEqual([Array(2).fill("401 session_expired"), "401 session_expired", "rotation_lost"]);
      return;
    }
    expect(others).toEqual(["200", "200"]);
    expect(slept).toBe("200");
    // Every generation was fetched with the newest token before it: nothing went back, and nothing was taken away.
    expect(await askOthers(session, 2)).toEqual(["200", "200"]);
    const { granted, refused } = await refreshesSince(from);
    expect(refused).toBe(0);
    expect(Number(await session.meta("gen"))).toBeLessThanOrEqual(granted + 1);
    expect(await session.meta("state")).toBe("active");
  });
});

describe.each(rotations)("with $name", ({ settings, forgives }) => {
  it(`an answer that is lost on its way ${forgives ? "is asked for again" : "costs one sign-in and one refusal"}`, async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    await control("identity", { tokenDrop: "answer", tokenTimes: 1, ...refreshOnly });
    expect(answers([await search(fleet.at(0), session)])).toEqual(["503 identity_unavailable"]);
    await expect.poll(async () => answers([await search(fleet.at(1), session)])[0], { timeout: 20_000 }).toBe(forgives ? "200" : "401 session_expired");
    expect(await refreshesSince(from)).toMatchObject({ sent: 2, granted: forgives ? 2 : 1, refused: forgives ? 0 : 1 });
    if (!forgives) expect(await session.meta("dead_reason")).toBe("rotation_lost");
  });
});
