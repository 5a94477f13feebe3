import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { control, resetParts } from "../http/client";
import { anExpiredSession, answers, type Fleet, isReal, pace, rotations, search, startFleet } from "./fleet";
import { refreshesSince } from "./ledger";

let fleet: Fleet;

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet();
});
afterEach(resetParts);
afterAll(() => fleet.stop());

describe.each(rotations)("with $name", ({ settings }) => {
  it("two hundred calls over three processes with an expired token make one refresh, and none fails", async () => {
    await control("identity", settings);
    const session = await anExpiredSession();
    const from = Date.now();
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => search(fleet.at(i), session)));
    expect([...new Set(answers(results))]).toEqual(["200"]);
    expect(await refreshesSince(from)).toMatchObject({ sent: 1, granted: 1, refused: 0 });
    expect(await session.meta("gen")).toBe("2");
  });

  it(`${isReal ? "a hundred" : "eight"} expiries in a row are as many refreshes: no token is sent twice, nobody is signed out`, async () => {
    await control("identity", settings);
    const expiries = isReal ? 100 : 8;
    const session = await anExpiredSession();
    // Every token that is fetched counts as over after a second, so the burst after it has to fetch another.
    await control("identity", { tokenExpiresIn: 1 });
    const from = Date.now();
    const failures: string[] = [];
    const generation = async () => Number(await session.meta("gen"));
    while (failures.length === 0 && (await generation()) <= expiries) {
      const results = await Promise.all(Array.from({ length: 12 }, (_, i) => search(fleet.at(i), session)));
      failures.push(...answers(results).filter((answer) => answer !== "200"));
      await pace();
    }
    expect(failures).toEqual([]);
    const { sent, granted, refused } = await refreshesSince(from);
    expect([sent, granted, refused]).toEqual([(await generation()) - 1, sent, 0]);
    expect(await session.meta("state")).toBe("active");
  }, 300_000);
});
