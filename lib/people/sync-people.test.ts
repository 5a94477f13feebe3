import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { jobContext } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { syncPeople } from ".";
import { aLargeRealm } from "./large-realm.fixture";

let realm: Awaited<ReturnType<typeof aLargeRealm>>;
const job = () => jobContext("people.sync", randomUUID());
const rows = (where: object = {}) => db().user.count({ where: { issuer: realm.issuer, ...where } });
const rowOf = (i: number) => db().user.findUniqueOrThrow({ where: { issuer_sub: { issuer: realm.issuer, sub: realm.people[i]!.id } }, include: { tenant: true } });
const sync = async () => (await syncPeople(job())).statistics;

beforeEach(async () => { realm = await aLargeRealm(120); });
afterEach(async () => {
  await realm.close();
  setEnv(undefined);
});

// Over a hundred people, twice in some tests: seconds on a quiet machine, and no judgement of a busy one.
describe("the sync", { timeout: 180_000 }, () => {
  it("reads page by page, tells what it did, and a second run finds nothing to do", async () => {
    expect(await sync()).toEqual({ total_external_users: 120, total_local_users: 120, created_users: 120, updated_users: 0, deactivated_users: 0, errors: [] });
    expect(realm.most).toBe(100);
    expect(await rowOf(119)).toMatchObject({ username: "p000119", role: "user", lastSeenAt: null, isActive: true, tenant: { slug: "many" } });
    expect(await sync()).toMatchObject({ created_users: 0, updated_users: 0, deactivated_users: 0 });
    expect(await db().syncRun.count({ where: { kind: "people", succeeded: true, statistics: { path: ["total_external_users"], equals: 120 } } })).toBeGreaterThanOrEqual(2);
  });

  it("carries roles and tenants over, deactivates who is disabled or gone, and brings back who is enabled again", async () => {
    await sync();
    Object.assign(realm.people[1]!, { role: "admin" });
    Object.assign(realm.people[2]!, { role: "nothing of ours", group: "/others" });
    Object.assign(realm.people[3]!, { enabled: false });
    const gone = await rowOf(4);
    realm.people.splice(4, 1);
    expect(await sync()).toMatchObject({ created_users: 0, updated_users: 2, deactivated_users: 2, errors: [] });
    expect([(await rowOf(1)).role, (await rowOf(2)).role, (await rowOf(2)).tenant.slug]).toEqual(["admin", null, "others"]);
    expect(await rowOf(3)).toMatchObject({ isActive: false, keycloakState: "disabled", keptOutAt: null });
    expect(await db().user.findUniqueOrThrow({ where: { id: gone.id } })).toMatchObject({ isActive: false, keycloakState: "deleted" });
    Object.assign(realm.people[3]!, { enabled: true });
    expect(await sync()).toMatchObject({ updated_users: 1, deactivated_users: 0 });
    expect((await rowOf(3)).isActive).toBe(true);
  });

  it("never lets in whom an administrator keeps out", async () => {
    await sync();
    const { id } = await rowOf(0);
    await db().user.update({ where: { id }, data: { isActive: false, keptOutAt: new Date() } });
    for (const enabled of [false, true]) {
      realm.people[0]!.enabled = enabled;
      await sync();
      expect((await rowOf(0)).isActive).toBe(false);
    }
  });

  it("deactivates nobody when the list breaks off, and says that it failed", async () => {
    await sync();
    const before = new Date();
    realm.people.splice(0, 10);
    realm.page = (first) => { if (first > 0) throw new Error(); };
    await expect(sync()).rejects.toMatchObject({ code: "identity_unavailable" });
    expect(await rows({ isActive: false })).toBe(0);
    expect(await db().syncRun.count({ where: { kind: "people", succeeded: false, startedAt: { gte: before } } })).toBeGreaterThanOrEqual(1);
  });

  it("deactivates nobody when the realm itself is away, nor whom a shifting page hid", async () => {
    await sync();
    realm.isGone = true;
    await expect(sync()).rejects.toMatchObject({ code: "identity_unavailable" });
    realm.isGone = false;
    // Somebody of the first page goes before the second is read: one of the second moves onto the first, unseen.
    realm.page = (first) => { if (first === 100 && realm.people[0]!.username === "p000000") realm.people.shift(); };
    expect(await sync()).toMatchObject({ total_external_users: 119, deactivated_users: 0 });
    expect(await sync()).toMatchObject({ deactivated_users: 1 });
    expect(await rows({ isActive: false })).toBe(1);
  });

  it("one who cannot be carried over is told of, and the rest goes on", async () => {
    setEnv({ ...env(), TENANT_AUTO_CREATE: false });
    const tenant = `known-${randomUUID()}`;
    await aPerson({ tenant: "default" });
    setEnv({ ...env(), TENANT_AUTO_CREATE: true });
    await aPerson({ tenant });
    setEnv({ ...env(), TENANT_AUTO_CREATE: false });
    for (const one of realm.people) one.group = `/${tenant}`;
    realm.people[5]!.group = `/unknown-${randomUUID()}`;
    const answer = await syncPeople(job());
    expect([answer.status, answer.statistics.created_users]).toEqual(["partial", 119]);
    expect(answer.statistics.errors).toEqual([expect.stringMatching(/^p000005: The tenant unknown-.* is not known here\.$/)]);
  });

  it("of two at once one is refused, and nobody without admin:users may ask for it", async () => {
    const both = await Promise.allSettled([syncPeople(job()), syncPeople(job())]);
    expect(both.map((one) => one.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find((one) => one.status === "rejected")).toMatchObject({ reason: { code: "conflict" } });
    await expect(syncPeople(contextOf(await aPerson({ role: "user" })))).rejects.toMatchObject({ code: "insufficient_permission" });
  });
});
