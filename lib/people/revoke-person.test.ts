import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context, Person } from "@/lib/access";
import { storeGrant } from "@/lib/grants";
import { checkCall, createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { db } from "@/lib/platform/db";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { redis } from "@/lib/platform/redis";
import { findSession } from "@/lib/sessions";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { listPeople, listPersonChatflows, revokePerson, updatePerson } from ".";
import { ListPeopleInput, RevokePersonInput } from "./schemas";

let realm: Realm;
let admin: Context;
beforeAll(async () => {
  realm = await aRealm();
  admin = contextOf(await aPerson({ role: "admin", username: "an-admin" }));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await realm.control({ reset: true });
});
afterAll(() => realm.close());

const all = RevokePersonInput.parse({});
const wholeSecond = () => Math.floor(Date.now() / 1000);
const verdictOf = async (secret: string) => {
  const verdict = await checkCall({ kind: "secret", secret }, { ip: "127.0.0.1", cost: 0 });
  return verdict.ok ? "ok" : verdict.error.code;
};

/** Everything that somebody can act by: two sessions, a program's sign-in, two keys, machine access. */
async function someone(username = "uma") {
  const [one, other] = [await aSignIn(await realm.tokensFor(username)), await aSignIn(await realm.tokensFor(username))];
  const { person } = await rememberPerson(identityOf(await verifyKeycloakToken((await realm.tokensFor(username)).accessToken)));
  const family = randomUUID();
  await db().tokenFamily.create({ data: { id: family, tenantId: person.tenantId, userId: person.userId, permissions: [], expiresAt: new Date(Date.now() + 60_000) } });
  const keyOf = async (name: string) => (await createKey(contextOf(person), CreateKeyInput.parse({ name, permissions: ["chatflows:read"] }))).secret;
  const secrets = [await keyOf("one"), await keyOf("two")];
  const tokens = await realm.tokensFor(username, "machine");
  const claims = await verifyKeycloakToken(tokens.accessToken);
  await storeGrant({ ...grantOwner(person), client: "machine", refreshToken: tokens.refreshToken ?? "", refreshExpiresAt: tokens.refreshExpiresAt, kcSid: String(claims.sid) });
  const alive = async () => ({
    sessions: (await Promise.all([one, other].map(({ cookie }) => findSession(cookie).then(Boolean, () => false)))).filter(Boolean).length,
    tokens: await db().tokenFamily.count({ where: { userId: person.userId, revokedAt: null } }),
    keys: (await Promise.all(secrets.map(verdictOf))).filter((verdict) => verdict === "ok").length,
    grant: await db().ownerGrant.count({ where: { userId: person.userId, status: "active", sealed: { not: "" } } }),
  });
  return { person, secrets, familyId: family, alive };
}
const grantOwner = ({ userId, tenantId, issuer, sub }: Person) => ({ userId, tenantId, issuer, sub });

describe("cutting somebody off", () => {
  it("ends sessions, programs' sign-ins, keys and machine access at once, and counts them", async () => {
    const { person, secrets, alive } = await someone();
    expect(await alive()).toEqual({ sessions: 2, tokens: 1, keys: 2, grant: 1 });
    const answer = await revokePerson(admin, person.userId, all);
    expect(answer).toMatchObject({ sessions: 2, tokens: 1, keys: 2, grant: 1, disabled: false, is_active: true, keycloak_sessions: "not_permitted", message: "Ended: 2 sessions, 1 program’s sign-in, 2 keys, 1 machine access. They are not kept out, and may sign in again." });
    expect(await alive()).toEqual({ sessions: 0, tokens: 0, keys: 0, grant: 0 });
    expect(await verdictOf(secrets[0]!)).toBe("key_revoked");
    expect(await revokePerson(admin, person.userId, all)).toMatchObject({ sessions: 0, tokens: 0, keys: 0, grant: 0, message: "There was nothing left to end. They are not kept out, and may sign in again." });
    const events = await db().auditEvent.findMany({ where: { chain: person.tenantId, actorId: admin.actor.type === "user" ? admin.actor.person.userId : "", at: { gt: new Date(Date.now() - 600_000) } } });
    const of = (action: string) => events.filter((event) => event.action === action).length;
    expect(["session.ended", "token.revoked", "key.revoked", "grant.deleted"].map(of)).toEqual([2, 1, 2, 1]);
  });

  it("ends only what is named, and leaves Keycloak's sessions alone unless all of it is to end", async () => {
    const { person, alive } = await someone("dis");
    const answer = await revokePerson(admin, person.userId, { ...all, keys: false, grant: false });
    expect(answer).toMatchObject({ sessions: 2, tokens: 1, keys: 0, grant: 0, keycloak_sessions: "not_asked" });
    expect(await alive()).toEqual({ sessions: 0, tokens: 0, keys: 2, grant: 1 });
  });

  it("with disable keeps them out: keys and new sign-ins are refused until an administrator lets them in", async () => {
    const { person, secrets } = await someone("gus");
    expect(await revokePerson(admin, person.userId, { ...all, keys: false, disable: true })).toMatchObject({ disabled: true, is_active: false });
    expect(await verdictOf(secrets[0]!)).toBe("owner_disabled");
    expect((await rememberPerson(identityOf(await verifyKeycloakToken((await realm.tokensFor("gus")).accessToken)))).isActive).toBe(false);
    expect(await updatePerson(admin, person.userId, { is_active: true })).toMatchObject({ is_active: true });
    expect(await verdictOf(secrets[0]!)).toBe("ok");
  });

  it("said again after Redis did not confirm, leaves nothing that still acts", async () => {
    const keptOut = (person: Person) => updatePerson(admin, person.userId, { is_active: false });
    const ways = [["key_revoked", (person: Person) => revokePerson(admin, person.userId, all)], ["owner_disabled", (person: Person) => revokePerson(admin, person.userId, { ...all, keys: false, disable: true })], ["owner_disabled", keptOut]] as const;
    for (const [expected, cutOff] of ways) {
      // Who signs in in the second of a cut-off is cut off too.
      const second = wholeSecond();
      await expect.poll(wholeSecond).toBeGreaterThan(second);
      const { person, secrets, familyId, alive } = await someone();
      const programs = async () => (await checkCall({ kind: "user", userId: person.userId, familyId }, { ip: null, cost: 0 })).ok;
      expect([await verdictOf(secrets[0]!), await programs()]).toEqual(["ok", true]);
      vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
      await expect(cutOff(person)).rejects.toMatchObject({ code: "store_unavailable" });
      vi.restoreAllMocks();
      expect([await verdictOf(secrets[0]!), await programs()], "the old copies still stand").toEqual(["ok", true]);
      await cutOff(person);
      expect([await verdictOf(secrets[0]!), await programs(), await alive()]).toEqual([expected, false, expect.objectContaining({ sessions: 0, tokens: 0, keys: 0 })]);
      await updatePerson(admin, person.userId, { is_active: true });
      expect(await programs()).toBe(false);
    }
  });

  it("is for administrators, for somebody who is there, and nobody keeps themselves out", async () => {
    const outsider = contextOf(await aPerson({ role: "user" }));
    const { person, alive } = await someone("ada");
    const before = await alive();
    await expect(revokePerson(outsider, person.userId, all)).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(updatePerson(outsider, person.userId, { is_active: false })).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await alive()).toEqual(before);
    for (const id of ["x", randomUUID()]) await expect(revokePerson(admin, id, all)).rejects.toMatchObject({ code: "not_found" });
    const self = admin.actor.type === "user" ? admin.actor.person.userId : "";
    await expect(revokePerson(admin, self, { ...all, disable: true })).rejects.toMatchObject({ code: "conflict" });
    await expect(updatePerson(admin, self, { is_active: false })).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("the list of people", () => {
  const list = async (input: object) => (await listPeople(admin, ListPeopleInput.parse(input))).people;

  it("finds by name, email, id, role, tenant and state, and pages in any order without losing or doubling anybody", async () => {
    const tenant = `list-${randomUUID().slice(0, 8)}`;
    const made = await Promise.all(["Bea", "abe", "Cid", "dot", "50%_off"].map((username, i) => aPerson({ tenant, username, role: i === 2 ? null : "user" })));
    await updatePerson(admin, made[0]!.userId, { is_active: false });
    expect((await list({ tenant })).map((row) => row.username)).toEqual(["50%_off", "abe", "Bea", "Cid", "dot"]);
    expect((await list({ tenant, role: "none" })).map((row) => row.username)).toEqual(["Cid"]);
    expect((await list({ tenant, is_active: "false" })).map((row) => row.username)).toEqual(["Bea"]);
    expect((await list({ tenant, q: "%" })).map((row) => row.username)).toEqual(["50%_off"]);
    for (const q of [made[1]!.userId, made[1]!.sub, made[1]!.email]) expect((await list({ q })).map((row) => row.username)).toEqual(["abe"]);
    await db().user.update({ where: { id: made[3]!.userId }, data: { lastSeenAt: null } });
    for (const sort of ["username", "last_seen_at", "created_at"]) {
      for (const order of ["asc", "desc"]) {
        const whole = (await list({ tenant, sort, order })).map((row) => row.id);
        const paged: string[] = [];
        for (let cursor: string | null = null; ; ) {
          const page = await listPeople(admin, ListPeopleInput.parse({ tenant, sort, order, limit: 2, ...(cursor && { cursor }) }));
          paged.push(...page.people.map((row) => row.id));
          cursor = page.nextCursor;
          if (!cursor) break;
        }
        expect(paged, `${sort} ${order}`).toEqual(whole);
        expect(new Set(paged).size).toBe(5);
      }
    }
    await expect(listPeople(admin, ListPeopleInput.parse({ cursor: "x" }))).rejects.toMatchObject({ code: "validation_failed" });
  });

  it("shows a person with what they can spend before they ever spent, and their chatflows in their own tenant alone", async () => {
    const person = await aPerson({ username: "spender" });
    expect((await list({ q: person.userId }))[0]).toMatchObject({ id: person.userId, memberId: person.sub, tenant: person.tenant, credits: 1000, is_active: true, kept_out: false, keycloak_state: "enabled", last_seen_at: expect.any(String) });
    const flow = await db().chatflow.create({ data: { id: randomUUID(), flowiseId: randomUUID(), name: "A flow" } });
    await db().chatflowAssignment.create({ data: { id: randomUUID(), tenantId: person.tenantId, userId: person.userId, chatflowId: flow.id } });
    const answer = await listPersonChatflows(admin, person.userId);
    expect(answer).toEqual({ user_id: person.userId, username: "spender", chatflows: [{ chatflow_id: flow.flowiseId, name: "A flow", is_active: true, created_at: expect.any(String) }], total_count: 1 });
    await rememberPerson({ issuer: person.issuer, sub: person.sub, username: person.username, email: person.email, emailVerified: true, name: person.name, role: person.role, tenant: `moved-${randomUUID().slice(0, 8)}` });
    expect((await listPersonChatflows(admin, person.userId)).total_count).toBe(0);
    const told = await db().auditEvent.findMany({ where: { targetId: person.userId, action: "user.moved" } });
    expect(new Set(told.map((event) => event.chain)).size).toBe(2);
  });
});
