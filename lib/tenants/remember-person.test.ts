import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { aPerson } from "@/dev/testing/people";
import type { Person } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { callIdentity } from "@/lib/platform/keycloak-discovery";
import { redis } from "@/lib/platform/redis";
import { findPersonByEmail, getPersonState, rememberPerson, userRecordKey } from ".";

const identity = (sub: string, more: object = {}) => ({ issuer: env().KEYCLOAK_ISSUER, sub, username: "u", email: `${sub}@x.test`, emailVerified: true, name: null, role: "user" as const, tenant: `t-${sub}`, ...more });

/** Says things of a person after Keycloak has told its time, which is ours. @returns what stands then */
async function keycloakOf({ userId, sub, tenant }: Person) {
  const server = createServer((_req, res) => res.end("{}")).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  await callIdentity(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: "GET", deadlineMs: 5000 });
  return {
    at: Math.floor(Date.now() / 1000) * 1000,
    say: async (more: { role: "admin" | "user" | "viewer"; tenant?: string; issuedAt?: number }) => {
      await rememberPerson(identity(sub, { tenant, ...more }));
      const { person } = await getPersonState(userId);
      return { role: person.role, moved: person.tenant !== tenant };
    },
  };
}

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

  it("a token changes nothing that a later one has said; of the same second the later word stands, and a clock that was set back binds nobody", async () => {
    const { say, at } = await keycloakOf(await aPerson({ role: "user" }));
    expect(await say({ role: "viewer", issuedAt: at + 10_000 })).toEqual({ role: "viewer", moved: false });
    expect(await say({ role: "admin", tenant: "elsewhere", issuedAt: at + 9000 })).toEqual({ role: "viewer", moved: false });
    expect(await say({ role: "user", issuedAt: at + 10_000 })).toEqual({ role: "user", moved: false });
    expect(await say({ role: "admin", issuedAt: at + 86_400_000 })).toEqual({ role: "admin", moved: false });
    expect(await say({ role: "viewer", issuedAt: at + 11_000 })).toEqual({ role: "viewer", moved: false });
  });

  it("what the admin API says is from now: tokens from before change nothing, and one from after does", async () => {
    const { say, at } = await keycloakOf(await aPerson({ role: "admin" }));
    expect(await say({ role: "admin", issuedAt: at - 9000 })).toMatchObject({ role: "admin" });
    expect(await say({ role: "viewer" })).toMatchObject({ role: "viewer" });
    expect(await say({ role: "admin", issuedAt: at - 5000 })).toMatchObject({ role: "viewer" });
    expect(await say({ role: "user", issuedAt: Math.floor(Date.now() / 1000) * 1000 })).toMatchObject({ role: "user" });
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
