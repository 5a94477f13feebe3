import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Identity, startIdentity } from "@/dev/identity/server";
import { tokenPartsIn } from "@/dev/leaks";
import { aPerson, contextOf } from "@/dev/testing/people";
import { roleMask } from "@/lib/access";
import { listOwnEvents } from "@/lib/audit";
import { ListEventsInput } from "@/lib/audit/schemas";
import { checkCall, createKey, endRotation, revokeKey, rotateKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import * as keycloakVerify from "@/lib/platform/keycloak-verify";
import { redis } from "@/lib/platform/redis";
import { signJwt } from "@/lib/platform/signing-keys";
import { getPersonState, rememberPerson } from "@/lib/tenants";
import { authenticate, keySet, refresh, verifyAccessToken } from ".";
import { AuthenticateInput, TokenAnswer } from "./schemas";

const password = "correct horse battery";
const caller = () => ({ requestId: randomUUID(), ip: `10.${octet()}.${octet()}.${octet()}`, userAgent: "vitest" });
const octet = () => 1 + Math.floor(Math.random() * 250);
const byPassword = (username: string, secret = password, from = caller()) => authenticate(from, AuthenticateInput.parse({ username, password: secret }));
const byKey = (secret: string) => authenticate(caller(), AuthenticateInput.parse({ api_key: secret }));
const again = (refreshToken: string) => refresh(caller(), { refresh_token: refreshToken });
const newKey = async (input: object = {}) => {
  const person = await aPerson();
  return { person, ...(await createKey(contextOf(person), CreateKeyInput.parse({ name: "k", ...input }))) };
};

/** What a door does with an access token. */
async function present(accessToken: string) {
  const claims = await verifyAccessToken(accessToken);
  const { apiKeyId, familyId, userId, permissions } = claims;
  return checkCall(apiKeyId ? { kind: "key", apiKeyId, familyId, permissions } : { kind: "user", userId, familyId, permissions }, { ip: null });
}
const codeOf = async (accessToken: string) => { const verdict = await present(accessToken); return verdict.ok ? "ok" : verdict.error.code; };

describe("gateway tokens", () => {
  const folder = mkdtempSync(join(tmpdir(), "tokens-test-"));
  let identity: Identity;
  const control = (wish: object) => fetch(`${identity.origin}/__control`, { method: "POST", body: JSON.stringify(wish) });
  const tokenCalls = async () => ((await (await fetch(`${identity.origin}/__calls`)).json()) as { path: string; body: unknown }[]).filter((call) => JSON.stringify(call).includes('"password"') || JSON.stringify(call).includes("grant_type=password"));

  beforeAll(async () => {
    identity = await startIdentity({ stateFile: join(folder, "identity.json"), sluiceUrl: env().AUTH_URL, demoPassword: password });
    setEnv({ ...env(), KEYCLOAK_ISSUER: identity.issuer });
  });
  afterEach(async () => { resetClock(); await control({ reset: true }); });
  afterAll(async () => { await identity.close(); rmSync(folder, { recursive: true }); setEnv(undefined); });

  it("a password gives tokens of the person, and machine access with them", async () => {
    const answer = await byPassword("uma");
    expect(TokenAnswer.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({ token_type: "bearer", expires_in: 900, role: "user", user: { username: "uma", role: "user" }, owner_grant: true });
    expect(decodeProtectedHeader(answer.access_token)).toMatchObject({ alg: "ES256", typ: "at+jwt" });
    const user = await db().user.findUniqueOrThrow({ where: { id: answer.user.id }, include: { tenant: true } });
    expect(decodeJwt(answer.access_token)).toMatchObject({ iss: env().AUTH_URL, aud: env().AUTH_URL, sub: user.sub, type: "access", tenantId: user.tenantId, tenant: "acme", permissions: answer.user.permissions, jti: expect.any(String), nbf: expect.any(Number) });
    expect(await verifyAccessToken(answer.access_token)).toMatchObject({ userId: user.id, tenantId: user.tenantId, permissions: roleMask("user") });
    expect(await codeOf(answer.access_token)).toBe("ok");
    expect((await keySet()).keys[0]).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig" });
  });

  it("an account that was made anew under a name gets machine access of its own, though the one before had some", async () => {
    await control({ createUsers: { anew: ["user"] } });
    const before = await byPassword("anew");
    await control({ deleteUser: "anew" });
    await control({ createUsers: { anew: ["user"] } });
    const after = await byPassword("anew");
    expect(after.user.id).not.toBe(before.user.id);
    expect(after.owner_grant).toBe(true);
    expect((await db().ownerGrant.findUniqueOrThrow({ where: { userId: after.user.id } })).sub).toBe((await db().user.findUniqueOrThrow({ where: { id: after.user.id } })).sub);
  });

  it("a second sign-in leaves a young grant alone, renews one past half its life, and never one given with consent", async () => {
    const { user } = await byPassword("vic");
    const grant = () => db().ownerGrant.findUniqueOrThrow({ where: { userId: user.id } });
    const { generation } = await grant();
    await byPassword("vic");
    expect((await grant()).generation).toBe(generation);
    const [givenAt, absDeadlineAt] = [new Date(Date.now() - 51_000_000), new Date(Date.now() + 49_000_000)];
    await db().ownerGrant.update({ where: { userId: user.id }, data: { givenAt, absDeadlineAt, clientId: env().KEYCLOAK_MACHINE_CLIENT_ID } });
    await byPassword("vic");
    expect((await grant()).generation).toBe(generation);
    await db().ownerGrant.update({ where: { userId: user.id }, data: { clientId: env().KEYCLOAK_DIRECT_CLIENT_ID ?? "" } });
    await byPassword("vic");
    expect((await grant()).generation).toBe(generation + 1);
    await db().ownerGrant.update({ where: { userId: user.id }, data: { status: "needs_reauth" } });
    expect((await byPassword("vic")).owner_grant).toBe(true);
    expect((await grant()).generation).toBe(generation + 2);
  });

  it("a grant given with consent stays, however the name is typed", async () => {
    const { user } = await byPassword("dis");
    await db().ownerGrant.update({ where: { userId: user.id }, data: { clientId: "sluice-machine" } });
    const before = await db().ownerGrant.findUniqueOrThrow({ where: { userId: user.id } });
    // A name under which we know nobody yet, as after a change in Keycloak.
    await db().user.update({ where: { id: user.id }, data: { username: "renamed", email: "renamed@acme.test" } });
    await byPassword("DIS");
    expect(await db().ownerGrant.findUniqueOrThrow({ where: { userId: user.id } })).toMatchObject({ generation: before.generation, sealed: before.sealed, clientId: "sluice-machine" });
  });

  it("guessing refresh tokens is limited by address, before the database is asked", async () => {
    const from = caller();
    const limited = { ...env(), AUTH_FAILURE_LIMIT: { requests: 3, window: 60 } };
    setEnv(limited);
    const guess = () => refresh(from, { refresh_token: `srt_${randomUUID()}` }).catch((error: { code: string }) => error.code);
    const codes = [await guess(), await guess(), await guess(), await guess()];
    setEnv({ ...limited, AUTH_FAILURE_LIMIT: { requests: 600, window: 60 } });
    expect(codes).toEqual(["invalid_credentials", "invalid_credentials", "invalid_credentials", "rate_limited"]);
  });

  it("no token is stored unhashed, in the database or in Redis", async () => {
    const answer = await byPassword("ada");
    const rows = JSON.stringify([await db().refreshToken.findMany(), await db().tokenFamily.findMany(), await db().ownerGrant.findMany()]);
    expect(rows).not.toContain(answer.refresh_token);
    expect(rows).toContain(createHash("sha256").update(answer.refresh_token).digest("hex"));
    expect(tokenPartsIn(rows)).toEqual([]);
    for (const key of await redis().keys("sl:*")) {
      const value = (await redis().type(key)) === "string" ? await redis().get(key) : "";
      expect(tokenPartsIn(`${key}${value}`)).toEqual([]);
      expect(`${key}${value}`).not.toContain(answer.refresh_token);
    }
  });

  it("a wrong password is told to the person among their events, an unknown name to nobody, and neither what was typed; past the limit nothing is written", async () => {
    const { user } = await byPassword("uma");
    const person = (await getPersonState(user.id)).person;
    const from = caller();
    const name = `nobody-${randomUUID()}`;
    const failed = () => db().auditEvent.findMany({ where: { action: "session.sign_in_failed", ip: from.ip }, orderBy: { writeOrder: "asc" }, omit: { seq: true, writeOrder: true } });
    for (const typed of ["uma", "UMA@acme.test", name]) await expect(byPassword(typed, "not this one", from)).rejects.toMatchObject({ code: "invalid_credentials" });
    const about = { actorType: "job", ip: from.ip, userAgent: "vitest", data: { by: "password", reason: "invalid_credentials" } };
    const toUma = { ...about, chain: person.tenantId, targetType: "user", targetId: user.id };
    expect(await failed()).toMatchObject([toUma, toUma, { ...about, chain: "system", targetType: null, targetId: null }]);
    expect(JSON.stringify(await failed())).not.toMatch(new RegExp(`not this one|${name}`));
    const { events } = await listOwnEvents(contextOf(person), ListEventsInput.parse({ action: "session.sign_in_failed" }));
    expect(events.filter(({ at }) => Date.parse(at) > Date.now() - 60_000).length).toBeGreaterThanOrEqual(2);

    const limit = env().PASSWORD_FAILURE_LIMIT.requests;
    await Promise.allSettled(Array.from({ length: limit + 5 }, () => byPassword(name, "wrong", from)));
    expect((await failed()).length).toBeLessThanOrEqual(2 + limit);
  });

  it("a wrong password and an unknown name are refused alike, a disabled person is told so, one without a role as well", async () => {
    const wrong = await byPassword("vic", "wrong").catch((error: unknown) => error);
    const unknown = await byPassword(`nobody-${randomUUID()}`).catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: "invalid_credentials" });
    expect(unknown).toMatchObject({ code: "invalid_credentials", detail: (wrong as { detail: string }).detail });
    await control({ disableUser: "dis" });
    await expect(byPassword("dis")).rejects.toMatchObject({ code: "owner_disabled" });
    await expect(byPassword("nel")).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("after too many failures for a name Keycloak is not asked any more, even when they come at once; right ones do not count", async () => {
    const name = `guess-${randomUUID()}`;
    const limit = env().PASSWORD_FAILURE_LIMIT.requests;
    const before = (await tokenCalls()).length;
    const outcomes = await Promise.allSettled(Array.from({ length: limit + 5 }, () => byPassword(name, "wrong")));
    const codes = outcomes.map((o) => (o.status === "rejected" ? (o.reason as { code: string }).code : "ok"));
    expect(codes.filter((c) => c === "rate_limited")).toHaveLength(5);
    expect((await tokenCalls()).length - before).toBe(limit);
    await expect(byPassword(name.toUpperCase(), "wrong")).rejects.toMatchObject({ code: "rate_limited", options: { retryAfterSeconds: expect.any(Number) } });
    for (let i = 0; i < limit + 2; i++) await byPassword("gus");
  });

  it("the password grant is closed unless it is switched on, and then nothing is asked", async () => {
    const open = env();
    setEnv({ ...open, PASSWORD_GRANT_ENABLED: false });
    const before = (await tokenCalls()).length;
    await expect(byPassword("uma")).rejects.toMatchObject({ code: "password_grant_disabled" });
    setEnv(open);
    expect((await tokenCalls()).length).toBe(before);
  });

  it("a right password whose token we cannot verify is 503, and does not count as a failure", async () => {
    const verify = vi.spyOn(keycloakVerify, "verifyKeycloakToken").mockRejectedValueOnce(new SluiceError("invalid_credentials", "The token is not valid."));
    await expect(byPassword("uma")).rejects.toMatchObject({ code: "identity_unavailable" });
    expect(verify).toHaveBeenCalled();
    verify.mockRestore();
    expect((await byPassword("uma")).user.username).toBe("uma");
  });

  it("a right password with a step open in Keycloak is told what to do, and does not count as a failure", async () => {
    await control({ tokenError: "invalid_grant", tokenDescription: "Account is not fully set up" });
    // More often than wrong ones are let through.
    for (let i = 0; i < 12; i++) await expect(byPassword("uma")).rejects.toMatchObject({ code: "upstream_forbidden", detail: expect.stringContaining("Sign in in the browser") as unknown });
    await control({ reset: true });
    expect((await byPassword("uma")).user.username).toBe("uma");
  });

  it("a Keycloak that is away is 503, and does not count as a failure", async () => {
    await control({ tokenStatus: 503 });
    await expect(byPassword("uma")).rejects.toMatchObject({ code: "identity_unavailable" });
    await redis().del(...(await redis().keys("sl:idp:*")), "sl:none");
    await control({ reset: true });
    expect((await byPassword("uma")).user.username).toBe("uma");
  });

  it("a key's tokens stand for the key: its permissions, its limit, its end", async () => {
    const { person, key, secret } = await newKey({ permissions: ["chatflows:read"], rateLimit: { requests: 4, window: 60 } });
    const answer = await byKey(secret);
    expect(answer).toMatchObject({ user: { id: person.userId, permissions: ["chatflows:read"] }, owner_grant: false });
    expect(decodeJwt(answer.access_token)).toMatchObject({ key_id: key.id, sub: person.sub });
    const next = await again(answer.refresh_token);
    expect(decodeJwt(next.access_token)).toMatchObject({ key_id: key.id, permissions: ["chatflows:read"] });
    expect([await codeOf(next.access_token), await codeOf(answer.access_token), await codeOf(next.access_token)]).toEqual(["ok", "ok", "rate_limited"]);
    await revokeKey(contextOf(person), key.id);
    expect(await codeOf(next.access_token)).toBe("key_revoked");
    await expect(again(next.refresh_token)).rejects.toMatchObject({ code: "key_revoked" });
    await expect(byKey(secret)).rejects.toMatchObject({ code: "key_revoked" });
  });

  it("a key's tokens end with the secret that they were obtained with, at once and without Redis too", async () => {
    const { person, key, secret } = await newKey();
    const ctx = contextOf(person);
    const first = await byKey(secret);
    const rotated = await rotateKey(ctx, key.id, { overlapSeconds: 3600 });
    const [overlapping, second] = [await byKey(secret), await byKey(rotated.secret)];
    expect(await Promise.all([first, overlapping, second].map((tokens) => codeOf(tokens.access_token)))).toEqual(["ok", "ok", "ok"]);
    const renewed = await again(first.refresh_token);
    await endRotation(ctx, key.id);
    expect(await Promise.all([renewed, overlapping, second].map((tokens) => codeOf(tokens.access_token)))).toEqual(["key_rotated", "key_rotated", "ok"]);
    await expect(again(renewed.refresh_token)).rejects.toMatchObject({ code: "key_rotated" });
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Connection is closed."));
    expect(await Promise.all([renewed, second].map((tokens) => codeOf(tokens.access_token)))).toEqual(["key_rotated", "ok"]);
    vi.restoreAllMocks();
    // Two rotations later the first overlap's end says nothing about it.
    await rotateKey(ctx, key.id, { overlapSeconds: 3600 });
    expect(await Promise.all([renewed, second].map((tokens) => codeOf(tokens.access_token)))).toEqual(["key_rotated", "ok"]);
    await endRotation(ctx, key.id);
    expect(await codeOf(second.access_token)).toBe("key_rotated");
  });

  it("a refresh token is good once; using a spent one ends the family, its access tokens at once, and is recorded", async () => {
    const first = await byKey((await newKey()).secret);
    const second = await again(first.refresh_token);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect([await codeOf(first.access_token), await codeOf(second.access_token)]).toEqual(["ok", "ok"]);
    await expect(again(first.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect([await codeOf(first.access_token), await codeOf(second.access_token)]).toEqual(["invalid_credentials", "invalid_credentials"]);
    await expect(again(second.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    const { familyId } = await verifyAccessToken(first.access_token);
    expect(await db().auditEvent.count({ where: { action: "token.reuse_detected", targetId: familyId } })).toBe(1);
  });

  it("of two refreshes at once one is a reuse: at most one answers, and the family has ended", async () => {
    const { refresh_token } = await byKey((await newKey()).secret);
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => again(refresh_token)));
    const won = outcomes.filter((o) => o.status === "fulfilled");
    expect(won.length).toBeLessThanOrEqual(1);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "invalid_credentials" });
    for (const { value } of won) {
      expect(await codeOf(value.access_token)).toBe("invalid_credentials");
      await expect(again(value.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    }
    expect(await db().refreshToken.count({ where: { hash: createHash("sha256").update(refresh_token).digest("hex"), spentAt: { not: null } } })).toBe(1);
  });

  it("one family's end leaves another's tokens alone", async () => {
    const { secret } = await newKey();
    const [one, other] = [await byKey(secret), await byKey(secret)];
    await again(one.refresh_token);
    await expect(again(one.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(await codeOf(other.access_token)).toBe("ok");
    await again(other.refresh_token);
  });

  it("a refresh asks again whether the owner is still good, and spends nothing when not", async () => {
    const { person, secret } = await newKey();
    const { refresh_token } = await byKey(secret);
    const identityNow = { issuer: person.issuer, sub: person.sub, username: person.username, email: person.email, emailVerified: true, name: person.name, tenant: person.tenant };
    await rememberPerson({ ...identityNow, role: null });
    await expect(again(refresh_token)).rejects.toMatchObject({ code: "insufficient_permission" });
    await rememberPerson({ ...identityNow, role: "viewer" });
    expect((await again(refresh_token)).role).toBe("viewer");
  });

  it("tokens end: an access token after its time, a refresh token after its own", async () => {
    const answer = await byKey((await newKey()).secret);
    moveClock((env().TOKEN_ACCESS_TTL_SECONDS + 10) * 1000);
    await expect(verifyAccessToken(answer.access_token)).rejects.toMatchObject({ code: "token_expired" });
    moveClock(env().TOKEN_REFRESH_TTL_SECONDS * 1000);
    await expect(again(answer.refresh_token)).rejects.toMatchObject({ code: "token_expired" });
  });

  it("nothing else passes for one of our tokens", async () => {
    const { secret, person } = await newKey();
    const answer = await byKey(secret);
    for (const bad of ["", "x", secret, answer.access_token, `${answer.refresh_token.slice(0, -1)}!`, "\u0000"]) await expect(again(bad)).rejects.toMatchObject({ code: "invalid_credentials" });
    await expect(byKey(answer.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    const identityJwt = await signJwt({ aud: env().AUTH_URL, sub: person.sub }, { typ: "sluice-identity+jwt", expiresInSeconds: 60 });
    const halfToken = await signJwt({ aud: env().AUTH_URL, sub: person.sub, type: "access" }, { typ: "at+jwt", expiresInSeconds: 60 });
    for (const bad of [answer.refresh_token, identityJwt, halfToken]) await expect(verifyAccessToken(bad)).rejects.toMatchObject({ code: "invalid_credentials" });
    for (const bad of [{}, { username: "a" }, { username: "a", password: "b", api_key: "c" }, { api_key: 5 }, { username: "a\u0000", password: "b" }]) expect(AuthenticateInput.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
  });
});
