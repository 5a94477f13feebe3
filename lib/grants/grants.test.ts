import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Browser } from "@/dev/identity/browser";
import { tokenPartsIn } from "@/dev/leaks";
import { aPerson, contextOf } from "@/dev/testing/people";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { anOwnerOf, forgetGrants } from "@/dev/testing/owners";
import type { Person } from "@/lib/access";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { requestToken, verifyKeycloakToken } from "@/lib/platform/keycloak";
import * as discovery from "@/lib/platform/keycloak-discovery";
import { signatureAlgorithms } from "@/lib/platform/signature-algorithms";
import { finishInvalidations } from "@/lib/platform/records";
import { redis, withRedis } from "@/lib/platform/redis";
import { getPersonState, identityOf, rememberPerson } from "@/lib/tenants";
import { deleteGrant, endGrantOf, finishGrant, getGrant, getGrantDetails, getOwnerToken, hasLiveGrant, safePath, startGrant } from ".";
import { serverOf } from "./give-grant";
import { grantsContext, openOfflineToken } from "./vault";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
beforeEach(() => forgetGrants(realm));
afterEach(() => { vi.restoreAllMocks(); resetClock(); });
afterAll(() => realm.close());

const anOwner = (username = "uma", browser?: Browser) => anOwnerOf(realm, username, browser);

const inSession = (person: Person, sessionId = "s".repeat(43)) => contextOf(person, { credential: { kind: "session", session: { sessionId, share: randomToken(32) } } });
const refreshes = () => realm.calls("refresh_token");
const rowOf = (person: Person) => db().ownerGrant.findUniqueOrThrow({ where: { userId: person.userId } });
const auditOf = async (person: Person) => (await db().auditEvent.findMany({ where: { targetType: "user", targetId: person.userId, OR: [{ action: { startsWith: "grant." } }, { action: { startsWith: "owner." } }] }, orderBy: { writeOrder: "asc" } })).map((e) => e.action);

describe("an owner's token", () => {
  it("a hundred calls with a cold cache make one refresh, and each engine gets its own", async () => {
    const owner = await anOwner();
    const asked = Array.from({ length: 100 }, (_, i) => (i % 2 ? ("nflow" as const) : ("flowise" as const)));
    const got = await Promise.all(asked.map((audience) => getOwnerToken(owner.userId, audience)));
    expect(got.map((t) => decodeJwt(t.accessToken).aud)).toEqual(asked);
    expect(new Set(got.map((t) => decodeJwt(t.accessToken).sub))).toEqual(new Set([owner.sub]));
    expect(new Set(got.map((t) => decodeJwt(t.accessToken).azp))).toEqual(new Set(["sluice-machine"]));
    // Nor does it say that lasting access was given.
    expect(new Set(got.map((t) => decodeJwt(t.accessToken).scope))).toEqual(new Set(["openid email profile"]));
    expect(await refreshes()).toBe(1);
  });

  it("for a scope that the realm does not have is our settings' fault: the grant stays, and nobody is asked to give it anew", async () => {
    const owner = await anOwner();
    const whole = env();
    try {
      setEnv({ ...whole, NFLOW_SCOPE: "openid nobody-has-this" });
      await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "identity_unavailable" });
      expect(await getOwnerToken(owner.userId, "flowise")).toBeTruthy();
    } finally {
      setEnv(whole);
    }
    expect((await rowOf(owner)).status).toBe("active");
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
  });

  it("is refreshed once for all who were refused with it", async () => {
    const owner = await anOwner();
    const { generation } = await getOwnerToken(owner.userId, "nflow");
    moveClock(6000);
    const next = await Promise.all(Array.from({ length: 20 }, () => getOwnerToken(owner.userId, "nflow", { staleGeneration: generation })));
    expect(new Set(next.map((t) => t.generation))).toEqual(new Set([generation + 1]));
    expect((await getOwnerToken(owner.userId, "nflow", { staleGeneration: generation + 1 })).generation).toBe(generation + 1);
    expect(await refreshes()).toBe(2);
  });

  it("survives rotation without reuse, and the stored token is the rotated one", async () => {
    await realm.control({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const owner = await anOwner();
    const before = await rowOf(owner);
    for (let i = 0; i < 5; i++) {
      moveClock(6000);
      const { generation } = await rowOf(owner);
      await getOwnerToken(owner.userId, "flowise", { staleGeneration: generation });
    }
    const after = await rowOf(owner);
    expect(after.generation).toBe(before.generation + 5);
    expect(after.sealed).not.toBe(before.sealed);
    expect(after.status).toBe("active");
  });

  it("is readable neither in the database nor in Redis", async () => {
    const owner = await anOwner();
    await getOwnerToken(owner.userId, "nflow");
    const stored = JSON.stringify(await rowOf(owner)) + (await withRedis(async (client) => (await Promise.all((await client.keys(`sl:g:{${owner.userId}}*`)).map((key) => client.get(key)))).join("\n")));
    expect(tokenPartsIn(stored)).toEqual([]);
  });

  it("does not open from another owner's row", async () => {
    const owner = await anOwner("uma");
    const other = await anOwner("vic");
    const { sealed, salt, generation } = await rowOf(other);
    await db().ownerGrant.update({ where: { userId: owner.userId }, data: { sealed, salt, generation } });
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
    expect(await refreshes()).toBe(0);
  });

  it("outlives a setting that lacks its key: asked to give again meanwhile, and as before once the setting is mended", async () => {
    const owner = await anOwner();
    const whole = env();
    const before = await rowOf(owner);
    try {
      setEnv({ ...whole, VAULT_KEKS: [{ kid: "other", key: randomBytes(32) }] });
      await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
      expect(await getGrantDetails(inSession(owner))).toMatchObject({ status: "needs_reauth", reason: "unreadable" });
      expect(await hasLiveGrant(owner.userId)).toBe(false);
      expect(await rowOf(owner)).toEqual(before);
    } finally {
      setEnv(whole);
    }
    expect(await getGrantDetails(inSession(owner))).toMatchObject({ status: "active", reason: null });
    expect(await hasLiveGrant(owner.userId)).toBe(true);
    expect(await getOwnerToken(owner.userId, "nflow")).toMatchObject({ generation: before.generation + 1 });
  });

  it("nobody who never gave it has one", async () => {
    const person = await aPerson();
    await expect(getOwnerToken(person.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required", options: { extra: { grantUrl: `${env().AUTH_URL}/machine-access` } } });
  });
});

it("a call leaves a frozen Keycloak, and the refresh under way is kept when the answer comes", async () => {
  const owner = await anOwner();
  const { generation } = await rowOf(owner);
  const look = vi.spyOn(discovery, "answersAtAll").mockResolvedValue(false);
  await realm.control({ tokenDelayMs: 2500, tokenTimes: 1 });
  await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "identity_unavailable" });
  expect(look).toHaveBeenCalled();
  expect((await rowOf(owner)).generation).toBe(generation);
  await expect.poll(async () => (await rowOf(owner)).generation, { timeout: 5000 }).toBe(generation + 1);
  expect(await getOwnerToken(owner.userId, "nflow")).toMatchObject({ generation: generation + 1 });
  expect(await refreshes()).toBe(1);
});

describe("what Keycloak says of a grant", () => {
  it("a disabled owner is told so, and enabled again the grant works by itself", async () => {
    const owner = await anOwner("dis");
    await realm.control({ disableUser: "dis" });
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_disabled" });
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_disabled" });
    expect(await refreshes()).toBe(1);
    expect((await getGrant(inSession(owner))).status).toBe("owner_disabled");
    await realm.control({ enableUser: "dis" });
    await withRedis((client) => client.del(`sl:g:{${owner.userId}}:b`));
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
    expect(await auditOf(owner)).toEqual(["grant.given", "grant.suspended", "grant.resumed"]);
  });

  it("disabled while a token of theirs is still cached, they are found out by the next exchange", async () => {
    const owner = await anOwner("dis");
    await getOwnerToken(owner.userId, "nflow");
    await realm.control({ disableUser: "dis" });
    await expect(getOwnerToken(owner.userId, "flowise")).rejects.toMatchObject({ code: "owner_disabled" });
  });

  it("revoked there, it has to be given again; nothing of the token stays", async () => {
    const owner = await anOwner("gus");
    await realm.control({ revokeGrant: "gus" });
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
    await expect(getOwnerToken(owner.userId, "nflow")).rejects.toMatchObject({ code: "owner_reauth_required" });
    expect(await refreshes()).toBe(1);
    expect(await rowOf(owner)).toMatchObject({ status: "needs_reauth", sealed: "" });
    expect(await hasLiveGrant(owner.userId)).toBe(false);
    await anOwner("gus");
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
    expect(await auditOf(owner)).toEqual(["grant.given", "grant.lost", "owner.reauth_required", "grant.renewed"]);
  });

  it.each([{ tokenStatus: 503 }, { tokenError: "invalid_client" }])("%o keeps it", async (fault) => {
    const owner = await anOwner();
    await realm.control(fault);
    const failed = await Promise.allSettled(Array.from({ length: 10 }, () => getOwnerToken(owner.userId, "nflow")));
    for (const f of failed) expect(f).toMatchObject({ status: "rejected", reason: { code: "identity_unavailable" } });
    expect(await refreshes()).toBe(1);
    expect((await rowOf(owner)).status).toBe("active");
  });

  it("a role taken away there reaches the owner with the next refresh", async () => {
    const owner = await anOwner();
    await realm.control({ setRoles: { uma: ["viewer"] } });
    await getOwnerToken(owner.userId, "nflow");
    expect((await getPersonState(owner.userId)).person.role).toBe("viewer");
  });
});

describe("giving and taking back", () => {
  it("is given in the browser, in the session that asked, once", async () => {
    const tokens = await realm.tokensFor("ada");
    const { person } = await rememberPerson(identityOf(await verifyKeycloakToken(tokens.accessToken)));
    const ctx = inSession(person);
    const { url, flowId } = await startGrant(ctx, "/keys?tab=1");
    const back = await realm.follow(url, { username: "ada" });
    expect(back.pathname).toBe("/api/owner-grant/callback");
    const query = () => new URLSearchParams(back.search);
    expect(await finishGrant(inSession(person, "t".repeat(43)), flowId, query())).toMatchObject({ outcome: "failed" });
    expect(await finishGrant(ctx, flowId, query())).toMatchObject({ outcome: "failed" });

    const again = await startGrant(ctx, "/keys?tab=1");
    const answered = await realm.follow(again.url, { username: "ada" });
    expect(await finishGrant(ctx, again.flowId, new URLSearchParams(answered.search))).toEqual({ returnTo: "/keys?tab=1", outcome: "given" });
    expect((await getGrant(ctx)).status).toBe("active");
    expect(decodeJwt((await getOwnerToken(person.userId, "nflow")).accessToken).sub).toBe(person.sub);
  });

  it("is not given when somebody else signs in at Keycloak, or says no", async () => {
    await realm.control({ revokeGrant: "ada" });
    const tokens = await realm.tokensFor("ada");
    const { person } = await rememberPerson(identityOf(await verifyKeycloakToken(tokens.accessToken)));
    const ctx = inSession(person);
    const other = await startGrant(ctx, null);
    expect(await finishGrant(ctx, other.flowId, new URLSearchParams((await realm.follow(other.url, { username: "gus" })).search))).toEqual({ returnTo: "/machine-access", outcome: "failed" });
    const no = await startGrant(ctx, null);
    expect(await finishGrant(ctx, no.flowId, new URLSearchParams((await realm.follow(no.url, { username: "ada", consent: "No" })).search))).toEqual({ returnTo: "/machine-access", outcome: "refused" });
    expect((await getGrant(ctx)).status).toBe("missing");
  });

  it("given again from another browser, the old token is revoked; from the same one, both would end, so it is not", async () => {
    const browser = new Browser();
    // Without a session of the portal beside it, Keycloak would end the browser's own, and the next grant would be another session's.
    await realm.tokensFor("uma", "web", browser);
    const owner = await anOwner("uma", browser);
    const storedToken = async () => openOfflineToken(await rowOf(owner)) ?? "";
    const refreshWith = (refreshToken: string) => requestToken("machine", { grant_type: "refresh_token", refresh_token: refreshToken });
    const first = await storedToken();
    await anOwner("uma", browser);
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
    expect(await refreshWith(first)).toBeTruthy();
    const second = await storedToken();
    await anOwner("uma", new Browser());
    await expect(refreshWith(second)).rejects.toMatchObject({ kind: "invalid_grant" });
    expect(await getOwnerToken(owner.userId, "nflow")).toBeTruthy();
    expect((await rowOf(owner)).status).toBe("active");
  });

  it("taken back, it is gone here and at Keycloak, also while a refresh is under way", async () => {
    const owner = await anOwner();
    await getOwnerToken(owner.userId, "flowise");
    expect(await deleteGrant(inSession(owner))).toMatchObject({ status: "missing" });
    await expect(getOwnerToken(owner.userId, "flowise")).rejects.toMatchObject({ code: "owner_reauth_required" });
    expect(await getGrant(inSession(owner))).toEqual({ status: "missing", givenAt: null, lastUsedAt: null, idleUntil: null, actsUntil: null });

    await anOwner();
    const before = await refreshes();
    await realm.control({ tokenDelayMs: 2000 });
    const refreshing = getOwnerToken(owner.userId, "nflow").catch((error: unknown) => error);
    await expect.poll(refreshes).toBe(before + 1);
    await deleteGrant(inSession(owner));
    expect(await refreshing).toMatchObject({ code: "owner_reauth_required" });
    expect(await rowOf(owner)).toMatchObject({ sealed: "" });
  });

  const ways = [["by its owner", (owner: Person) => deleteGrant(inSession(owner))], ["with a cut-off", (owner: Person) => endGrantOf(grantsContext(), owner.userId, "cut_off")]] as const;
  it.each(ways)("taken back %s while Redis does not confirm, it is 503; said again, or by the outbox, no token of it is left", async (_, takeBack) => {
    const deletions = async (owner: Person) => (await auditOf(owner)).filter((action) => action === "grant.deleted").length;
    for (const finish of [takeBack, () => finishInvalidations()]) {
      const owner = await anOwner();
      const before = await deletions(owner);
      await getOwnerToken(owner.userId, "flowise");
      vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
      await expect(takeBack(owner)).rejects.toMatchObject({ code: "store_unavailable" });
      vi.restoreAllMocks();
      expect(await getOwnerToken(owner.userId, "flowise"), "the old copy still stands").toBeTruthy();
      await finish(owner);
      await expect(getOwnerToken(owner.userId, "flowise")).rejects.toMatchObject({ code: "owner_reauth_required" });
      expect(await deletions(owner)).toBe(before + 1);
    }
  });

  it("a key can neither give it nor take it back", async () => {
    const owner = await anOwner();
    const ctx = contextOf(owner, { apiKeyId: "k" });
    await expect(deleteGrant(ctx)).rejects.toMatchObject({ code: "insufficient_permission" });
    await expect(startGrant(ctx, null)).rejects.toMatchObject({ code: "insufficient_permission" });
    expect(await hasLiveGrant(owner.userId)).toBe(true);
  });

  it("leads back only to paths of ours", () => {
    for (const path of ["//evil.test", "/\\evil.test", "https://evil.test", "/\t/evil.test", "javascript:alert(1)", "", null]) expect(safePath(path)).toBe("/machine-access");
    expect(safePath("/keys?new=1")).toBe("/keys?new=1");
  });
});

it("machine access is given with every signature that sign-in accepts", async () => {
  expect((await serverOf()).id_token_signing_alg_values_supported).toEqual(signatureAlgorithms);
});
