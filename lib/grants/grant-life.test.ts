import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "@/dev/identity/browser";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { anOwnerOf, forgetGrants } from "@/dev/testing/owners";
import { contextOf } from "@/dev/testing/people";
import type { Person } from "@/lib/access";
import { now, resetClock } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { withRedis } from "@/lib/platform/redis";
import { finishGrant, getGrantDetails, getOwnerToken, keepGrantsAlive, startRenewal, tryGrant, warnOwners } from ".";

const dayMs = 86_400_000;
let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
beforeEach(() => forgetGrants(realm));
afterEach(() => resetClock());
afterAll(() => realm.close());

const anOwner = (username = "uma", browser?: Browser) => anOwnerOf(realm, username, browser);

/** A moment ago, in days. */
const ago = (days: number) => new Date(now() - days * dayMs);
const set = (person: Person, data: Parameters<ReturnType<typeof db>["ownerGrant"]["update"]>[0]["data"]) => db().ownerGrant.update({ where: { userId: person.userId }, data });
const rowOf = (person: Person) => db().ownerGrant.findUniqueOrThrow({ where: { userId: person.userId } });
const refreshes = () => realm.calls("refresh_token");
const inSession = (person: Person) => contextOf(person, { credential: { kind: "session", session: { sessionId: "s".repeat(43), share: randomToken(32) } } });
const auditOf = async (person: Person, action: string) => (await db().auditEvent.findMany({ where: { targetId: person.userId, action }, orderBy: { writeOrder: "desc" }, take: 10 })).map(({ data }) => data);

describe("a rarely used grant", () => {
  it("is kept alive once half of its idle time is over, by one use however many workers look, and then left alone", async () => {
    const owner = await anOwner();
    expect(await keepGrantsAlive()).toBe(0);
    await set(owner, { givenAt: ago(19), idleDeadlineAt: ago(-11) });
    await Promise.all([keepGrantsAlive(), keepGrantsAlive(), keepGrantsAlive()]);
    expect(await refreshes()).toBeLessThanOrEqual(1);
    expect((await rowOf(owner)).idleDeadlineAt!.getTime()).toBeGreaterThan(now() + 25 * dayMs);
    expect(await keepGrantsAlive()).toBe(0);
    expect(await refreshes()).toBe(1);
  });

  it("is not due at a third of it, and those given together do not come together", async () => {
    const owner = await anOwner();
    await set(owner, { givenAt: ago(10), idleDeadlineAt: ago(-20) });
    expect(await keepGrantsAlive()).toBe(0);
    const at: number[] = [];
    for (const name of ["uma", "vic", "gus", "ada"]) {
      const person = await anOwner(name);
      await db().ownerGrant.deleteMany({ where: { issuer: env().KEYCLOAK_ISSUER, userId: { not: person.userId } } });
      for (let days = 11; days < 19; days += 0.25) {
        await set(person, { givenAt: ago(days), lastUsedAt: null, checkedAt: null, idleDeadlineAt: ago(days - 30) });
        if ((await keepGrantsAlive()) === 1) {
          at.push(days);
          break;
        }
      }
    }
    expect(at).toHaveLength(4);
    for (const days of at) expect(days).toBeGreaterThanOrEqual(12);
    expect(new Set(at).size).toBeGreaterThan(1);
  });

  it("whose absolute end is the nearer one is left alone, since no use moves that", async () => {
    const owner = await anOwner();
    await set(owner, { givenAt: ago(80), lastUsedAt: ago(9), idleDeadlineAt: ago(-1), absDeadlineAt: ago(-1) });
    expect(await keepGrantsAlive()).toBe(0);
  });

  it("that has ended is tried, so that its owner sees what is true and is told", async () => {
    const owner = await anOwner();
    await realm.control({ revokeGrant: "uma" });
    await set(owner, { idleDeadlineAt: ago(1), givenAt: ago(31) });
    await keepGrantsAlive();
    expect((await getGrantDetails(inSession(owner)))).toMatchObject({ status: "needs_reauth", reason: "ended_at_keycloak", through: "consent", actsUntil: null });
    expect((await auditOf(owner, "owner.reauth_required"))[0]).toMatchObject({ reason: "ended_at_keycloak" });
  });

  it("of somebody disabled is asked about once a day, and works again by itself", async () => {
    const owner = await anOwner("dis");
    await realm.control({ disableUser: "dis" });
    await tryGrant(owner.userId);
    expect(await rowOf(owner)).toMatchObject({ status: "owner_disabled" });
    await realm.forgetCalls();
    expect(await keepGrantsAlive()).toBe(0);
    await set(owner, { givenAt: ago(2), checkedAt: ago(0.5) });
    expect(await keepGrantsAlive()).toBe(0);
    await realm.control({ enableUser: "dis" });
    await withRedis((client) => client.del(`sl:g:{${owner.userId}}:b`));
    await set(owner, { checkedAt: ago(1.1) });
    expect(await keepGrantsAlive()).toBe(1);
    expect(await rowOf(owner)).toMatchObject({ status: "active" });
  });

  it("survives a Keycloak that is away, and costs it one call, not one for each", async () => {
    for (const name of ["uma", "vic", "gus", "ada", "dis"]) await set(await anOwner(name), { givenAt: ago(19), idleDeadlineAt: ago(-11) });
    await realm.forgetCalls();
    await realm.control({ tokenStatus: 503 });
    await keepGrantsAlive();
    expect(await refreshes()).toBeLessThanOrEqual(3);
    expect(await db().ownerGrant.count({ where: { status: "active", issuer: env().KEYCLOAK_ISSUER } })).toBe(5);
  });
});

describe("the absolute end", () => {
  it("is seen at the first use that does not move the end by as much as before", async () => {
    const owner = await anOwner();
    await getOwnerToken(owner.userId, "nflow");
    expect((await rowOf(owner)).absDeadlineAt).toBeNull();
    // 40 days were left when it was last used; Keycloak now says 30.
    await set(owner, { lastUsedAt: ago(5), idleDeadlineAt: ago(-35) });
    await tryGrant(owner.userId);
    const row = await rowOf(owner);
    expect(row.absDeadlineAt).toEqual(row.idleDeadlineAt);
  });

  it("is warned of once 14 days and once 3 days ahead, and ends soon for its owner to see", async () => {
    const owner = await anOwner();
    await set(owner, { absDeadlineAt: ago(-20) });
    expect((await warnOwners()).warned).toBe(0);
    expect((await getGrantDetails(inSession(owner))).endsSoon).toBe(false);
    await set(owner, { absDeadlineAt: ago(-13) });
    expect(await Promise.all([warnOwners(), warnOwners()]).then((all) => all.reduce((sum, { warned }) => sum + warned, 0))).toBe(1);
    expect((await warnOwners()).warned).toBe(0);
    expect((await getGrantDetails(inSession(owner))).endsSoon).toBe(true);
    await set(owner, { absDeadlineAt: ago(-2) });
    expect([(await warnOwners()).warned, (await warnOwners()).warned]).toEqual([1, 0]);
    expect((await auditOf(owner, "owner.reauth_due")).slice(0, 2)).toMatchObject([{ daysAhead: 3 }, { daysAhead: 14 }]);
    // Given anew, it starts over.
    await anOwner("uma", new Browser());
    expect(await rowOf(owner)).toMatchObject({ warnedDays: null, absDeadlineAt: null });
  });

  it("what was lost for long is cleared away, and nothing else", async () => {
    const [lost, fresh] = [await anOwner("uma"), await anOwner("vic")];
    await realm.control({ revokeGrant: "uma" });
    await tryGrant(lost.userId);
    expect((await warnOwners()).purged).toBe(0);
    await db().$executeRaw`UPDATE "OwnerGrant" SET "updatedAt" = ${ago(91)} WHERE issuer = ${env().KEYCLOAK_ISSUER}`;
    expect((await warnOwners()).purged).toBe(1);
    expect(await db().ownerGrant.count({ where: { userId: lost.userId } })).toBe(0);
    expect(await db().ownerGrant.count({ where: { userId: fresh.userId } })).toBe(1);
    expect((await auditOf(lost, "grant.purged"))[0]).toMatchObject({ reason: "ended_at_keycloak" });
  });
});

describe("renewal at a sign-in", () => {
  it("is due when over half of the time is gone, shows no page while consent stands, and starts the time anew", async () => {
    const owner = await anOwner();
    const ctx = inSession(owner);
    expect(await startRenewal(ctx, "/keys")).toBeNull();
    await set(owner, { givenAt: ago(40), absDeadlineAt: ago(-50) });
    expect(await startRenewal(ctx, "/keys")).toBeNull();
    await set(owner, { givenAt: ago(50), absDeadlineAt: ago(-40), warnedDays: 14 });
    const renewal = await startRenewal(ctx, "/keys");
    expect(Object.fromEntries(new URL(renewal!.url).searchParams)).toMatchObject({ prompt: "none", client_id: "sluice-machine", scope: "openid offline_access", code_challenge_method: "S256" });
    const browser = new Browser();
    await realm.tokensFor("uma", "web", browser);
    const page = await browser.open(renewal!.url);
    expect(page.html).toBeFalsy();
    const back = new URL(page.url);
    expect(await finishGrant(ctx, renewal!.flowId, new URLSearchParams(back.search))).toEqual({ returnTo: "/keys", outcome: "silent" });
    expect(await rowOf(owner)).toMatchObject({ status: "active", absDeadlineAt: null, warnedDays: null });
    expect((await rowOf(owner)).givenAt.getTime()).toBeGreaterThan(now() - 60_000);
    expect(await startRenewal(ctx, "/keys")).toBeNull();
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
  });

  it("goes on quietly, with the grant as it was, where Keycloak wants a page after all", async () => {
    const owner = await anOwner();
    const ctx = inSession(owner);
    await set(owner, { givenAt: ago(50), absDeadlineAt: ago(-40) });
    const before = await rowOf(owner);
    for (const prepare of [async () => new Browser(), async () => { const browser = new Browser(); await realm.tokensFor("uma", "web", browser); await realm.control({ revokeGrant: "uma" }); return browser; }]) {
      const browser = await prepare();
      const renewal = await startRenewal(ctx, "/keys");
      const back = new URL((await browser.open(renewal!.url)).url);
      expect(["login_required", "interaction_required", "consent_required"]).toContain(back.searchParams.get("error"));
      expect(await finishGrant(ctx, renewal!.flowId, new URLSearchParams(back.search))).toEqual({ returnTo: "/keys", outcome: "silent" });
      expect(await rowOf(owner)).toEqual(before);
    }
  });

  it("does not bring back what was lost, and somebody else's answer is not taken", async () => {
    const owner = await anOwner();
    const ctx = inSession(owner);
    await set(owner, { givenAt: ago(50), absDeadlineAt: ago(-40) });
    const before = await rowOf(owner);
    const renewal = await startRenewal(ctx, "/keys");
    const browser = new Browser();
    await realm.tokensFor("gus", "machine", browser);
    await realm.tokensFor("gus", "web", browser);
    const back = new URL((await browser.open(renewal!.url)).url);
    await finishGrant(ctx, renewal!.flowId, new URLSearchParams(back.search));
    expect(await rowOf(owner)).toEqual(before);
    await set(owner, { status: "needs_reauth", sealed: "" });
    expect(await startRenewal(ctx, "/keys")).toBeNull();
  });
});
