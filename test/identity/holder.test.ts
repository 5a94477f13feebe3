import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { control, resetParts } from "../http/client";
import { anExpiredSession, anOwner, answers, type Fleet, isReal, rotations, search, startFleet, store } from "./fleet";
import { refreshesSince } from "./ledger";

let fleet: Fleet;

beforeAll(async () => {
  await resetParts();
  fleet = await startFleet();
});
afterEach(async () => {
  await resetParts();
  if (fleet.at(0).child.signalCode) await fleet.replace(fleet.at(0));
});
afterAll(() => fleet.stop());

/** Whose token has to be refreshed before the next call can be made. */
type Holder = {
  who: { cookie: string } | { key: string };
  client: string;
  lock: string;
  /** Sees to it that the call after the next one has to refresh again: by an order before it, or by hand after it. */
  over: { order: object; byHand(): Promise<void> };
  /** Grows with every token that is kept. */
  generation(): Promise<number>;
  isSound(): Promise<boolean>;
  /** Why it is lost, as its person can learn; null while it is not. */
  loss(): Promise<string | null>;
};

async function aSessionToRefresh(): Promise<Holder> {
  const session = await anExpiredSession();
  const state = () => session.meta("state");
  return {
    who: session, client: "sluice-web", lock: `sl:s:{${session.id}}:l`,
    over: { order: { tokenExpiresIn: 0 }, byHand: async () => undefined },
    generation: async () => Number(await session.meta("gen")),
    isSound: async () => (await state()) === "active",
    loss: async () => ((await state()) === "dead" ? session.meta("dead_reason") : null),
  };
}

async function aGrantToRefresh(): Promise<Holder> {
  const owner = await anOwner();
  return {
    who: owner, client: "sluice-direct", lock: `sl:g:{${owner.userId}}:l`,
    over: { order: {}, byHand: owner.cool },
    generation: async () => Number(await store.get(`sl:g:{${owner.userId}}:x`)),
    isSound: async () => (await owner.status()) === "active",
    loss: async () => ((await owner.status()) === "needs_reauth" ? (await owner.told("owner.reauth_required")).map(({ data }) => data.reason).join() : null),
  };
}

const kinds = [
  { kind: "a session", make: aSessionToRefresh, refusal: "401 session_expired" },
  { kind: "the grant of a key's owner", make: aGrantToRefresh, refusal: "403 owner_reauth_required" },
];
const each = (settings: readonly (typeof rotations)[number][]) => kinds.flatMap((kind) => settings.map((rotation) => ({ ...kind, ...rotation })));

const refreshOnly = { tokenGrants: ["refresh_token"] };
// A lock that nobody holds any more lasts six seconds, so the short run keeps to the settings that differ.
const waiting = isReal ? rotations : rotations.filter(({ forgives, settings }) => !forgives || settings.revokeRefreshToken);
const strict = rotations.filter(({ forgives }) => !forgives);
const forgiving = waiting.filter(({ forgives }) => forgives);

const spent = ({ client }: Holder, from: number) => refreshesSince(from, client);

/** Asks the first member, and comes back when its refresh has got as far as `until`. */
async function holding(holder: Holder, from: number, until: "sent" | "granted"): Promise<{ answer: Promise<string | undefined> }> {
  const asked = search(fleet.at(0), holder.who).then((result) => answers([result])[0], () => undefined);
  await expect.poll(async () => (await spent(holder, from))[until], { timeout: 20_000 }).toBe(1);
  return { answer: asked };
}

const askOthers = async ({ who }: Holder, calls: number) => answers(await Promise.all(Array.from({ length: calls }, (_, i) => search(fleet.at(1 + (i % 2)), who))));

describe.each(each(isReal ? rotations : strict))("$kind with $name", ({ make, settings }) => {
  it("a token endpoint that takes six seconds is asked once for fifty calls, and none fails", async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    await control("identity", { tokenDelayMs: 6000, ...refreshOnly });
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => search(fleet.at(i), holder.who)));
    expect([...new Set(answers(results))]).toEqual(["200"]);
    expect(await spent(holder, from)).toMatchObject({ sent: 1, granted: 1, refused: 0 });
  });

  it("a holder killed before its request reached Keycloak is followed within eight seconds, and the token is spent once", async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    await control("identity", { tokenDelayMs: 12_000, ...refreshOnly });
    await holding(holder, from, "sent");
    const killedAt = Date.now();
    await fleet.kill(fleet.at(0));
    await control("identity", { tokenDelayMs: 0 });
    expect(await askOthers(holder, 6)).toEqual(Array(6).fill("200"));
    expect(Date.now() - killedAt).toBeLessThan(isReal ? 8000 : 10_000);
    expect(await spent(holder, from)).toMatchObject({ sent: 2, granted: 1, refused: 0 });
  });
});

describe.each(each(waiting))("$kind with $name", ({ make, refusal, settings, forgives }) => {
  it(`a holder killed after Keycloak answered ${forgives ? "costs nothing" : "costs one sign-in, one refusal and no other call"}`, async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    await control("identity", { tokenHoldMs: 12_000, ...refreshOnly });
    await holding(holder, from, "granted");
    await fleet.kill(fleet.at(0));
    await control("identity", { tokenHoldMs: 0 });
    expect(await askOthers(holder, 6)).toEqual(Array(6).fill(forgives ? "200" : refusal));
    const expected = { sent: 2, granted: forgives ? 2 : 1, refused: forgives ? 0 : 1 };
    expect(await spent(holder, from)).toMatchObject(expected);
    expect(await holder.loss()).toBe(forgives ? null : "rotation_lost");
    if (forgives) return;
    await askOthers(holder, 6);
    expect(await spent(holder, from)).toMatchObject(expected);
  });

  it("a holder that was paused beyond its lock neither overwrites nor revokes what another did meanwhile", async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    // Long enough to stop the holder before its answer comes, on a busy machine too; the lock lasts six seconds.
    await control("identity", { tokenHoldMs: 4000, ...refreshOnly });
    const { answer } = await holding(holder, from, "granted");
    fleet.at(0).signal("SIGSTOP");
    // What the other one fetches counts as over at once, so that the call after it shows whether its refresh token still works.
    await control("identity", { tokenHoldMs: 0, ...holder.over.order });
    const others = await askOthers(holder, 2);
    fleet.at(0).signal("SIGCONT");
    const slept = await answer;
    await control("identity", { tokenExpiresIn: null });
    if (!forgives) {
      expect([others, slept, await holder.loss()]).toEqual([Array(2).fill(refusal), refusal, "rotation_lost"]);
      return;
    }
    expect(others).toEqual(["200", "200"]);
    expect(slept).toBe("200");
    // Every generation was fetched with the newest token before it: nothing went back, and nothing was taken away.
    await holder.over.byHand();
    expect(await askOthers(holder, 2)).toEqual(["200", "200"]);
    const { granted, refused } = await spent(holder, from);
    expect(refused).toBe(0);
    expect(await holder.generation()).toBeLessThanOrEqual(granted + 1);
    expect(await holder.isSound()).toBe(true);
  });
});

describe.each(each(forgiving))("$kind with $name", ({ make, settings }) => {
  it("of two who refreshed at once, since the lock was lost, the token that Keycloak gave last is kept, whoever wrote first", async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    await control("identity", { tokenDelayMs: 3000, tokenTimes: 1, ...refreshOnly, ...holder.over.order });
    const generation = await holder.generation();
    const { answer } = await holding(holder, from, "sent");
    expect(await store.del(holder.lock)).toBe(1);
    expect(answers([await search(fleet.at(1), holder.who)])).toEqual(["200"]);
    expect(await spent(holder, from)).toMatchObject({ sent: 2, granted: 1 });
    expect(await answer).toBe("200");
    await control("identity", { tokenExpiresIn: null });
    await holder.over.byHand();
    expect(await askOthers(holder, 2)).toEqual(["200", "200"]);
    expect(await spent(holder, from)).toMatchObject({ sent: 3, granted: 3, refused: 0 });
    expect(await holder.generation()).toBe(generation + 3);
    expect(await holder.isSound()).toBe(true);
  });
});

describe.each(each(rotations))("$kind with $name", ({ make, refusal, settings, forgives }) => {
  it(`an answer that is lost on its way ${forgives ? "is asked for again" : "costs one sign-in and one refusal"}`, async () => {
    await control("identity", settings);
    const holder = await make();
    const from = Date.now();
    await control("identity", { tokenDrop: "answer", tokenTimes: 1, ...refreshOnly });
    expect(answers([await search(fleet.at(0), holder.who)])).toEqual(["503 identity_unavailable"]);
    await expect.poll(async () => answers([await search(fleet.at(1), holder.who)])[0], { timeout: 20_000 }).toBe(forgives ? "200" : refusal);
    expect(await spent(holder, from)).toMatchObject({ sent: 2, granted: forgives ? 2 : 1, refused: forgives ? 0 : 1 });
    expect(await holder.loss()).toBe(forgives ? null : "rotation_lost");
  });
});
