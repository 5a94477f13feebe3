import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson } from "@/dev/testing/people";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { lookUpPerson, lookUpPersonById } from ".";

let realm: Realm;
beforeAll(async () => { realm = await aRealm(); });
afterEach(() => realm.control({ reset: true }));
afterAll(() => realm.close());

const rowOf = (id: string) => db().user.findUniqueOrThrow({ where: { id }, include: { tenant: true } });
const asked = async () => ((await (await fetch(`${realm.origin}/__calls`)).json()) as { path: string }[]).filter((call) => call.path.startsWith("/admin/")).length;

describe("looking up a person", () => {
  it("somebody whom only Keycloak knows is remembered with role, tenant and verified email, but was not here", async () => {
    const { userId } = await lookUpPerson("acme", "uma");
    expect(await rowOf(userId)).toMatchObject({ issuer: realm.issuer, username: "uma", email: "uma@acme.test", emailVerified: true, name: "Uma Usher", role: "user", lastSeenAt: null, tenant: { slug: "acme" } });
    expect((await lookUpPerson("globex", "gus@globex.test")).username).toBe("gus");
    expect((await rowOf((await lookUpPerson("acme", "ada")).userId)).role).toBe("admin");
  });

  it("somebody known is not asked about again, by name, email or id", async () => {
    await realm.forgetCalls();
    await lookUpPerson("acme", "dis");
    expect(await asked()).toBeGreaterThan(0);
    const { userId, tenantId } = await lookUpPerson("acme", "uma");
    await realm.forgetCalls();
    for (const [tenant, user] of [["acme", "uma"], ["acme", "uma@acme.test"], ["acme", userId], [tenantId, "UMA@acme.test"]] as const) expect((await lookUpPerson(tenant, user)).userId).toBe(userId);
    expect(await asked()).toBe(0);
    expect((await lookUpPersonById(userId)).userId).toBe(userId);
    expect((await lookUpPersonById((await rowOf(userId)).sub)).userId).toBe(userId);
  });

  it("nobody of that name, another tenant's person, and an unknown tenant are not found", async () => {
    for (const [tenant, user] of [["acme", "nobody"], ["acme", "um"], ["acme", "nobody@acme.test"], ["acme", "gus"], ["globex", "uma"], ["nowhere", "uma"]] as const) await expect(lookUpPerson(tenant, user), `${tenant}/${user}`).rejects.toMatchObject({ code: "not_found" });
    await expect(lookUpPersonById("f0000000-0000-4000-8000-000000000000")).rejects.toMatchObject({ code: "not_found" });
  });

  it("somebody disabled in Keycloak is refused, and an email that two of a tenant have names neither", async () => {
    await realm.control({ disableUser: "vic" });
    await expect(lookUpPerson("acme", "vic")).rejects.toMatchObject({ code: "conflict" });
    for (const username of ["one", "two"]) await aPerson({ tenant: "shared", username, email: "both@example.test" });
    await expect(lookUpPerson("shared", "both@example.test")).rejects.toMatchObject({ code: "conflict" });
  });

  it("without a service account only those who were here are found, and a Keycloak that is away says so", async () => {
    setEnv({ ...env(), KEYCLOAK_SYNC_CLIENT_ID: undefined, KEYCLOAK_SYNC_CLIENT_SECRET: undefined });
    await expect(lookUpPerson("acme", "nel")).rejects.toMatchObject({ code: "not_found" });
    setEnv({ ...env(), KEYCLOAK_SYNC_CLIENT_ID: "sluice-sync", KEYCLOAK_SYNC_CLIENT_SECRET: "a-wrong-secret" });
    await lookUpPerson("acme", "uma");
    setEnv({ ...env(), KEYCLOAK_ISSUER: "http://localhost:9/realms/sluice" });
    await expect(lookUpPerson("acme", "nel")).rejects.toMatchObject({ code: "identity_unavailable" });
    setEnv(undefined);
  });
});
