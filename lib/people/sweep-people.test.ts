import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { anOwnerOf } from "@/dev/testing/owners";
import { aPerson, contextOf } from "@/dev/testing/people";
import { jobContext, type Person } from "@/lib/access";
import { getOwnerToken, storeGrant, tryGrant } from "@/lib/grants";
import { openOfflineToken } from "@/lib/grants/vault";
import { checkCall, createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { getKeycloakUser } from "@/lib/platform/keycloak-admin";
import { redis } from "@/lib/platform/redis";
import { findSession } from "@/lib/sessions";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { identityOf, lookUpPerson, rememberPerson } from "@/lib/tenants";
import { sweepPeople, syncPeople, updatePerson } from ".";

let realm: Realm;
beforeAll(async () => { realm = await aRealm(); });
// What was signed in in the second of a sign-out or a disabling counts as older: nobody here begins in the second in which the last test did that.
beforeEach(async () => {
  const second = wholeSecond();
  await expect.poll(wholeSecond).toBeGreaterThan(second);
  await syncPeople(jobContext("people.sync", randomUUID()));
});
afterEach(async () => {
  vi.restoreAllMocks();
  setEnv(undefined);
  await realm.control({ reset: true });
  await sweep();
});
afterAll(() => realm.close());

const wholeSecond = () => Math.floor(Date.now() / 1000);
const sweep = () => sweepPeople(jobContext("people.sweep", randomUUID()));
const personOf = async (username: string): Promise<Person> => (await rememberPerson(identityOf(await verifyKeycloakToken((await realm.tokensFor(username)).accessToken)))).person;
const aKeyOf = async (person: Person) => (await createKey(contextOf(person), CreateKeyInput.parse({ name: "sweep", permissions: ["chatflows:read"] }))).secret;
const verdictOf = async (secret: string) => {
  const verdict = await checkCall({ kind: "secret", secret }, { ip: "127.0.0.1", cost: 0 });
  return verdict.ok ? "ok" : verdict.error.code;
};
const cookieFor = async (username: string) => (await aSignIn(await realm.tokensFor(username))).cookie;
const isSignedIn = (cookie: string) => findSession(cookie).then((session) => session !== null, () => false);
const rowOf = (sub: string) => db().user.findUniqueOrThrow({ where: { issuer_sub: { issuer: realm.issuer, sub } } });

/** An owner whose grant was issued in the very second in which an admin signed them out. */
async function signedOutInTheSecondOfGiving(username: string): Promise<Person> {
  for (;;) {
    const owner = await anOwnerOf(realm, username);
    await realm.control({ logoutUser: username });
    const [row, user] = await Promise.all([db().ownerGrant.findUniqueOrThrow({ where: { userId: owner.userId } }), getKeycloakUser(owner.sub)]);
    if (decodeJwt(openOfflineToken(row) ?? "").iat === user?.notBefore) return owner;
  }
}

describe("the sweep", () => {
  it("shuts out who was disabled in Keycloak: browser, key and programs' tokens; enabled again the key works, the session does not", async () => {
    const person = await personOf("uma");
    const secret = await aKeyOf(person);
    const family = await db().tokenFamily.create({ data: { id: randomUUID(), tenantId: person.tenantId, userId: person.userId, permissions: [], expiresAt: new Date(Date.now() + 60_000) } });
    const cookie = await cookieFor("uma");
    expect([await verdictOf(secret), await isSignedIn(cookie)]).toEqual(["ok", true]);
    await realm.control({ disableUser: "uma" });
    expect(await sweep()).toMatchObject({ deactivated: 1 });
    expect([await verdictOf(secret), await isSignedIn(cookie)]).toEqual(["owner_disabled", false]);
    expect((await db().tokenFamily.findUniqueOrThrow({ where: { id: family.id } })).revokedAt).not.toBeNull();
    expect(await sweep()).toMatchObject({ deactivated: 0, reactivated: 0 });
    await realm.control({ enableUser: "uma" });
    expect(await sweep()).toMatchObject({ reactivated: 1 });
    expect([await verdictOf(secret), await isSignedIn(cookie)]).toEqual(["ok", false]);
    const events = await db().auditEvent.findMany({ where: { targetId: person.userId, action: { startsWith: "user." } }, orderBy: { writeOrder: "asc" } });
    expect(events.map((event) => event.action)).toEqual(["user.disabled", "user.enabled"]);
  });

  it("that was cut short is done again: no session from before lives when the person is enabled", async () => {
    await personOf("uma");
    const cookie = await cookieFor("uma");
    await realm.control({ disableUser: "uma" });
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
    await expect(sweep()).rejects.toMatchObject({ code: "store_unavailable" });
    vi.restoreAllMocks();
    expect(await isSignedIn(cookie)).toBe(true);
    await sweep();
    await realm.control({ enableUser: "uma" });
    expect(await sweep()).toMatchObject({ reactivated: 1 });
    expect(await isSignedIn(cookie)).toBe(false);
  });

  it("shuts out who was deleted, whether they are active here or not", async () => {
    const person = await personOf("dis");
    const [secret, cookie] = [await aKeyOf(person), await cookieFor("dis")];
    // Nobody asks for gus by id, who was never here: only that the list has shrunk tells.
    const { userId: gus } = await lookUpPerson("globex", "gus");
    await sweep();
    await realm.control({ deleteUser: "dis" });
    expect(await sweep()).toMatchObject({ deactivated: 1 });
    expect([await verdictOf(secret), await isSignedIn(cookie), (await rowOf(person.sub)).keycloakState]).toEqual(["owner_disabled", false, "deleted"]);
    await realm.control({ deleteUser: "gus" });
    expect(await sweep()).toMatchObject({ deactivated: 1 });
    expect(await db().user.findUniqueOrThrow({ where: { id: gus } })).toMatchObject({ isActive: false, keycloakState: "deleted" });
  });

  it("takes a role away from a key that nobody has used yet, and gives it back; the person's tenant stays", async () => {
    const person = await personOf("ada");
    const secret = await aKeyOf(person);
    // Nobody was here lately: the key alone makes them worth asking about.
    await db().user.update({ where: { id: person.userId }, data: { lastSeenAt: null } });
    const mayRead = async () => (await checkCall({ kind: "secret", secret }, { permission: "chatflows:read", ip: "127.0.0.1", cost: 0 })).ok;
    await realm.control({ setRoles: { ada: [] }, setGroups: { ada: ["/globex"] } });
    expect(await sweep()).toMatchObject({ roles: 1 });
    expect([await mayRead(), await rowOf(person.sub)]).toMatchObject([false, { role: null, tenantId: person.tenantId }]);
    await realm.control({ reset: true });
    expect(await sweep()).toMatchObject({ roles: 1 });
    expect([await mayRead(), await rowOf(person.sub)]).toMatchObject([true, { role: "admin", tenantId: person.tenantId }]);
    expect(await sweep()).toMatchObject({ roles: 0 });
  });

  it("ends sessions from before an administrator's sign-out in Keycloak, once, and leaves keys and later sessions alone", async () => {
    const person = await personOf("uma");
    const [secret, cookie] = [await aKeyOf(person), await cookieFor("uma")];
    await realm.control({ logoutUser: "uma" });
    await sweep();
    expect([await verdictOf(secret), await isSignedIn(cookie)]).toEqual(["ok", false]);
    const { signedOutBefore } = await rowOf(person.sub);
    expect(signedOutBefore).toBeGreaterThan(0);
    // A sign-in of the same second counts as older, so the next one waits for the next.
    await expect.poll(wholeSecond).toBeGreaterThan(signedOutBefore);
    const later = await cookieFor("uma");
    await sweep();
    expect(await isSignedIn(later)).toBe(true);
  });

  it("an admin's sign-out ends machine access refreshed in the same second, and machine access given later stays", async () => {
    const owner = await signedOutInTheSecondOfGiving("uma");
    // Keycloak lets the token of that second pass, and each refresh makes it younger.
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
    await sweep();
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
    const lost = await db().ownerGrant.findUniqueOrThrow({ where: { userId: owner.userId } });
    expect(lost).toMatchObject({ status: "needs_reauth", statusReason: "stale", sealed: "" });
    const { signedOutBefore } = await rowOf(owner.sub);
    await expect.poll(wholeSecond).toBeGreaterThan(signedOutBefore);
    await anOwnerOf(realm, "uma");
    await sweep();
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
  });

  it("machine access from the second of a sign-out ends at the back channel's word too, and cannot be stored after it", async () => {
    const owner = await signedOutInTheSecondOfGiving("uma");
    const old = await db().ownerGrant.findUniqueOrThrow({ where: { userId: owner.userId } });
    await tryGrant(owner.userId);
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
    await sweep();
    const late = { userId: owner.userId, tenantId: owner.tenantId, issuer: owner.issuer, sub: owner.sub, client: "machine" as const, refreshToken: openOfflineToken(old) ?? "", refreshExpiresAt: null, kcSid: old.kcSid };
    await expect(storeGrant(late)).rejects.toMatchObject({ code: "invalid_credentials" });
  });

  it("a Keycloak that fails, refuses us or is not there changes nobody", async () => {
    const person = await personOf("vic");
    await realm.control({ disableUser: "vic" });
    setEnv({ ...env(), KEYCLOAK_ISSUER: env().KEYCLOAK_ISSUER.replace("/realms/sluice", "/realms/elsewhere") });
    await expect(sweep()).rejects.toMatchObject({ code: "identity_unavailable" });
    setEnv({ ...env(), KEYCLOAK_ISSUER: "http://localhost:9/realms/sluice" });
    await expect(sweep()).rejects.toMatchObject({ code: "identity_unavailable" });
    setEnv({ ...env(), KEYCLOAK_SYNC_CLIENT_ID: undefined });
    expect(await sweep()).toBeNull();
    expect((await rowOf(person.sub)).isActive).toBe(true);
  });
});

describe("coming back", () => {
  it("a sign-in from after the disabling is enough; a token from before is not, and whom an administrator keeps out stays out", async () => {
    const admin = contextOf(await aPerson({ role: "admin" }));
    const early = identityOf(await verifyKeycloakToken((await realm.tokensFor("vic")).accessToken));
    const { userId } = (await rememberPerson(early)).person;
    /** Disabled there, seen by the sweep, enabled again: what a sign-in a second later finds. */
    const signInAfterDisabling = async () => {
      await realm.control({ disableUser: "vic" });
      await sweep();
      expect((await rememberPerson(early)).isActive).toBe(false);
      await realm.control({ enableUser: "vic" });
      const { keycloakStateAt } = await rowOf(early.sub);
      await expect.poll(() => Math.floor(Date.now() / 1000) * 1000).toBeGreaterThan(keycloakStateAt?.getTime() ?? 0);
      return rememberPerson(identityOf(await verifyKeycloakToken((await realm.tokensFor("vic")).accessToken)));
    };
    expect((await signInAfterDisabling()).isActive).toBe(true);
    expect(await updatePerson(admin, userId, { is_active: false })).toMatchObject({ is_active: false, kept_out: true });
    expect((await signInAfterDisabling()).isActive).toBe(false);
    expect(await updatePerson(admin, userId, { is_active: true })).toMatchObject({ is_active: true, kept_out: false });
  });

  it("letting somebody in whom Keycloak has disabled leaves them out until it does not", async () => {
    const admin = contextOf(await aPerson({ role: "admin" }));
    const { userId } = await personOf("vic");
    await updatePerson(admin, userId, { is_active: false });
    await realm.control({ disableUser: "vic" });
    expect(await updatePerson(admin, userId, { is_active: true })).toMatchObject({ is_active: false, kept_out: false, keycloak_state: "disabled" });
    await realm.control({ enableUser: "vic" });
    expect(await updatePerson(admin, userId, { is_active: true })).toMatchObject({ is_active: true });
  });
});
