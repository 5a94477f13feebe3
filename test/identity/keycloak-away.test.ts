import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { control, resetParts } from "../http/client";
import { anExpiredSession, anOwner, answers, aSession, type Fleet, isReal, pace, rotationsInTurn, search, startFleet } from "./fleet";
import { refreshesSince, tokenCallsSince } from "./ledger";

let fleet: Fleet;

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet();
});
afterEach(resetParts);
afterAll(() => fleet.stop());

const seconds = (from: number) => (Date.now() - from) / 1000;

describe.each(rotationsInTurn)("with $name", ({ settings }) => {
  it("while Keycloak fails no call fails as long as the token lives; then 503 at once, and afterwards all goes on without a sign-in", async () => {
    const life = isReal ? 36 : 12;
    await control("identity", { ...settings, tokenExpiresIn: life });
    const session = await aSession();
    const askedAt = Date.now();
    expect(answers([await search(fleet.at(0), session)])).toEqual(["200"]);
    const answeredAt = Date.now();
    await control("identity", { tokenExpiresIn: null, tokenStatus: 503 });
    const from = Date.now();
    const failures: string[] = [];
    // What was fetched for the engine is due for another after two thirds of its life, and good until its end.
    for (let i = 0; seconds(askedAt) < life - 1.5; i++) {
      const answer = await search(fleet.at(i), session);
      // A token is used until a second before its end, and a call of the last moments may be judged after that.
      if (answer.status !== 200 && seconds(askedAt) < life - 1) failures.push(...answers([answer]));
      expect(answer.headers.getSetCookie()).toEqual([]);
      await pace();
    }
    expect(failures).toEqual([]);
    // A failure that a job met may make all leave Keycloak alone, so the session's own attempts may be none.
    expect((await tokenCallsSince(from)).length).toBeGreaterThan(0);
    const { sentAt } = await refreshesSince(from);
    for (const [i, at] of sentAt.entries()) if (i > 0) expect(at - (sentAt[i - 1] ?? 0)).toBeGreaterThanOrEqual(1900);

    await expect.poll(() => seconds(answeredAt), { timeout: 60_000 }).toBeGreaterThan(life + 1);
    const askedAgainAt = Date.now();
    const away = await search(fleet.at(1), session);
    expect(answers([away])).toEqual(["503 identity_unavailable"]);
    expect(seconds(askedAgainAt)).toBeLessThan(3);
    expect(Number(away.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(away.headers.getSetCookie()).toEqual([]);
    await control("identity", { tokenStatus: null });
    await expect.poll(async () => (await search(fleet.at(2), session)).status, { timeout: 20_000 }).toBe(200);
    expect(await session.meta("state")).toBe("active");
  });

  it("while Keycloak fails an owner's keys go on with what was fetched for them; then 503, and afterwards all goes on with nothing given anew", async () => {
    const life = 9;
    const owner = await anOwner();
    await control("identity", { ...settings, tokenExpiresIn: life });
    const askedAt = Date.now();
    expect(answers([await search(fleet.at(0), owner)])).toEqual(["200"]);
    const answeredAt = Date.now();
    await control("identity", { tokenExpiresIn: null, tokenStatus: 503 });
    let away = await search(fleet.at(1), owner);
    for (let i = 0; away.status === 200 && seconds(answeredAt) < life + 1; i++) {
      await pace();
      away = await search(fleet.at(i), owner);
    }
    // A token is used until a second before its end.
    expect(seconds(askedAt)).toBeGreaterThanOrEqual(life - 1);
    expect(answers([away])).toEqual(["503 identity_unavailable"]);
    expect(Number(away.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    // The same here; and the grant's own token may live on, and then the attempts are exchanges.
    const asked = await tokenCallsSince(answeredAt);
    expect(asked.length).toBeGreaterThan(0);
    const sentAt = asked.filter(({ body }) => body?.client_id === "sluice-direct").map(({ at }) => Date.parse(at));
    for (const [i, at] of sentAt.entries()) if (i > 0) expect(at - (sentAt[i - 1] ?? 0)).toBeGreaterThanOrEqual(1900);
    expect(await owner.status()).toBe("active");
    await control("identity", { tokenStatus: null });
    await expect.poll(async () => (await search(fleet.at(2), owner)).status, { timeout: 20_000 }).toBe(200);
    expect(await owner.told("owner.reauth_required")).toEqual([]);
  });

  it("a Keycloak that breaks the connection is 503 within three seconds, and nobody is signed out", async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    await control("identity", { tokenDrop: "request" });
    const askedAt = Date.now();
    const results = await Promise.all(Array.from({ length: 9 }, (_, i) => search(fleet.at(i), session)));
    expect([...new Set(answers(results))]).toEqual(["503 identity_unavailable"]);
    expect(seconds(askedAt)).toBeLessThan(3);
    await control("identity", { tokenDrop: null });
    await expect.poll(async () => (await search(fleet.at(0), session)).status, { timeout: 20_000 }).toBe(200);
  });

  it("a Keycloak that answers 429 is left alone for as long as it asks, by every process and for every session", async () => {
    await control("identity", settings);
    const sessions = [await anExpiredSession("uma"), await anExpiredSession("ada")];
    const from = Date.now();
    await control("identity", { tokenStatus: 429, tokenRetryAfter: "5", tokenTimes: 1 });
    const first = await search(fleet.at(0), sessions[0]!);
    expect(answers([first])).toEqual(["503 identity_unavailable"]);
    const [asked] = await tokenCallsSince(from);
    const askedAt = Date.parse(asked?.at ?? "");
    for (let i = 0; Date.now() < askedAt + 4500; i++) {
      const answer = await search(fleet.at(i), sessions[i % 2]!);
      // A call of the last moment may come back when the pause is over.
      if (Date.now() < askedAt + 4500) expect(answers([answer])).toEqual(["503 identity_unavailable"]);
      await pace();
    }
    for (const session of sessions) await expect.poll(async () => (await search(fleet.at(1), session)).status, { timeout: 20_000 }).toBe(200);
    const [, next] = await tokenCallsSince(from);
    expect(Date.parse(next?.at ?? "") - askedAt).toBeGreaterThanOrEqual(4900);
  });
});

it("a wrong client secret costs nobody their session: 503 for all, and one alert", async () => {
  const sessions = [await anExpiredSession("uma"), await anExpiredSession("vic")];
  await control("identity", { tokenError: "invalid_client" });
  const isAlert = ({ msg }: { msg: string }) => msg.startsWith("Keycloak refuses our client");
  for (let round = 0; round < 3; round++) {
    const results = await Promise.all(sessions.flatMap((session) => fleet.members.map((member) => search(member, session))));
    expect([...new Set(answers(results))]).toEqual(["503 identity_unavailable"]);
    expect(results.flatMap((answer) => answer.headers.getSetCookie())).toEqual([]);
  }
  expect(fleet.logged(50).filter(isAlert)).toHaveLength(1);
  expect(await Promise.all(sessions.map((session) => session.meta("state")))).toEqual(["active", "active"]);
  await control("identity", { reset: true });
  for (const session of sessions) await expect.poll(async () => (await search(fleet.at(0), session)).status, { timeout: 20_000 }).toBe(200);
  // Whoever was refused notices that it is set right, and clears the alert, so that the next time is told of again.
  for (const member of fleet.members) expect(answers([await search(member, await anExpiredSession())])).toEqual(["200"]);
  expect(fleet.logged(40).filter(({ msg }) => msg === "Keycloak accepts our client again")).toHaveLength(1);
});
