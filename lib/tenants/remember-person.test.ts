import { describe, expect, it } from "vitest";
import { aPerson } from "@/dev/testing/people";
import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { redis } from "@/lib/platform/redis";
import { findPersonByEmail, getPersonState, rememberPerson, userRecordKey } from ".";

const identity = (sub: string, more: object = {}) => ({ issuer: env().KEYCLOAK_ISSUER, sub, username: "u", email: `${sub}@x.test`, emailVerified: true, name: null, role: "user" as const, tenant: `t-${sub}`, ...more });

describe("rememberPerson", () => {
  it("twenty first sign-ins at once make one person and one tenant", async () => {
    const sub = crypto.randomUUID();
    const states = await Promise.all(Array.from({ length: 20 }, () => rememberPerson(identity(sub))));
    expect(new Set(states.map((s) => s.person.userId)).size).toBe(1);
    expect(await db().tenant.count({ where: { slug: `t-${sub}` } })).toBe(1);
  });

  it("a role taken away in Keycloak is gone from the copy that key checks read, at once", async () => {
    const person = await aPerson({ role: "admin" });
    expect((await getPersonState(person.userId)).person.role).toBe("admin");
    await rememberPerson(identity(person.sub, { role: "viewer", tenant: person.tenant }));
    expect((await getPersonState(person.userId)).person.role).toBe("viewer");
  });

  it("of two who know different things at once the later one's stands, in the database and in the copy", async () => {
    const person = await aPerson({ role: "user" });
    for (let round = 0; round < 10; round++) {
      await Promise.all(["admin", "user", "viewer", "user"].map((role) => rememberPerson(identity(person.sub, { role, tenant: person.tenant }))));
      const row = await db().user.findUniqueOrThrow({ where: { id: person.userId } });
      expect((await getPersonState(person.userId)).person.role).toBe(row.role);
      expect(await redis().get(`${userRecordKey(person.userId)}:x`), "nothing older than the row is written back").toBe(String(row.version));
    }
  });

  it("a person disabled here stays disabled when they sign in again", async () => {
    const person = await aPerson();
    await db().user.update({ where: { id: person.userId }, data: { isActive: false, version: { increment: 1 } } });
    expect((await rememberPerson(identity(person.sub, { tenant: person.tenant }))).isActive).toBe(false);
  });

  it("an unverified email finds nobody, and one that two people have is a conflict", async () => {
    const person = await aPerson();
    await rememberPerson(identity(person.sub, { email: `${person.sub}@x.test`, emailVerified: false, tenant: person.tenant }));
    await expect(findPersonByEmail(`${person.sub}@x.test`)).rejects.toMatchObject({ code: "not_found" });
    const shared = `${person.sub}@shared.test`;
    await aPerson({ email: shared });
    await aPerson({ email: shared });
    await expect(findPersonByEmail(shared)).rejects.toMatchObject({ code: "conflict" });
  });
});
