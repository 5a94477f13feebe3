import { randomUUID } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Context, permissionMask, permissionsOf } from "@/lib/access";
import { checkCall, createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { db, transaction } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { redis } from "@/lib/platform/redis";
import { endSession } from "@/lib/sessions";
import { markKeycloakSessionEnded, markPersonNotBefore } from "@/lib/sessions/marks";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { getPersonState } from "@/lib/tenants";
import { cleanUpTokens, confirmEnded, issueToken, listFamilies, refreshPair, refuseEnded, revokeTokens, revokeTokensOf, verifyAccessToken } from ".";
import { IssueTokenInput, TokenPair } from "./schemas";

const flows = [randomUUID(), randomUUID()];
const caller = () => ({ requestId: randomUUID(), ip: null, userAgent: "a program" });
const issue = (ctx: Context, input: object = {}) => issueToken(ctx, IssueTokenInput.parse(input));
const again = (refreshToken: string) => refreshPair(caller(), { refresh_token: refreshToken });

/** What a door does with an access token. */
async function codeOf(accessToken: string): Promise<string> {
  const { apiKeyId, userId, familyId, permissions, leansOn, sub } = await verifyAccessToken(accessToken);
  const ended = leansOn ? await refuseEnded(leansOn, { issuer: env().KEYCLOAK_ISSUER, sub }).then(() => null, (error: { code: string }) => error.code) : null;
  if (ended) return ended;
  const verdict = await checkCall(apiKeyId ? { kind: "key", apiKeyId, familyId, permissions } : { kind: "user", userId, familyId, permissions }, { ip: null });
  return verdict.ok ? "ok" : verdict.error.code;
}
const claimsOf = (pair: TokenPair) => decodeJwt<{ fam: string; permissions: string[]; chatflows?: string[]; ses?: string }>(pair.access_token);

async function byKey(input: object = {}) {
  const person = await aPerson();
  const { key } = await createKey(contextOf(person), CreateKeyInput.parse({ name: "k", ...input }));
  const verdict = await checkCall({ kind: "key", apiKeyId: key.id }, { ip: null });
  if (!verdict.ok) throw verdict.error;
  const ctx: Context = { ...contextOf(person, { apiKeyId: key.id, permissions: permissionsOf(verdict.permissions) }), ...(verdict.chatflowIds && { chatflowIds: verdict.chatflowIds }) };
  return { person, key, ctx };
}

describe("tokens of a caller", () => {
  let realm: Realm;
  beforeAll(async () => { realm = await aRealm(); });
  afterEach(() => { vi.restoreAllMocks(); resetClock(); });
  afterAll(async () => { await realm.close(); setEnv(undefined); });

  /** Somebody who is signed in, as a door sees them. */
  async function inSession(username = "uma") {
    const { handle, meta } = await aSignIn(await realm.tokensFor(username));
    const { person } = await getPersonState(meta.uid);
    return { person, handle, meta, ctx: contextOf(person, { credential: { kind: "session", session: handle } }) };
  }

  it("are as narrow as asked for, and stay so through refreshes", async () => {
    const { ctx } = await byKey({ permissions: ["read", "ai:predict"], chatflowIds: flows });
    const pair = await issue(ctx, { permissions: ["ai:predict"], chatflowIds: [flows[0]] });
    expect(TokenPair.parse(pair)).toEqual(pair);
    expect(pair).toMatchObject({ token_type: "bearer", expires_in: 900, refresh_expires_in: 604_800 });
    const next = await again(pair.refresh_token);
    for (const each of [pair, next]) {
      expect(claimsOf(each)).toMatchObject({ permissions: ["ai:predict"], chatflows: [flows[0]] });
      expect(await codeOf(each.access_token)).toBe("ok");
    }
    const whole = await issue(ctx);
    expect(permissionMask(claimsOf(whole).permissions)).toBe(ctx.permissions);
  });

  it.each([
    ["a permission", { permissions: ["ai:train"] }], ["a wildcard that covers more", { permissions: ["ai:*"] }], ["everything", { permissions: ["*"] }], ["another chatflow", { chatflowIds: [flows[0], randomUUID()] }],
  ])("are never wider than the key: %s is refused", async (_what, input) => {
    const { ctx } = await byKey({ permissions: ["ai:predict"], chatflowIds: [flows[0]] });
    await expect(issue(ctx, input)).rejects.toMatchObject({ code: "permission_escalation" });
    expect(await db().tokenFamily.count({ where: { userId: (ctx.actor as { person: { userId: string } }).person.userId } })).toBe(0);
  });

  it("are not given for tokens: they would live on after their own family", async () => {
    const person = await aPerson();
    const { key } = await createKey(contextOf(person), CreateKeyInput.parse({ name: "k" }));
    await expect(issue(contextOf(person))).rejects.toMatchObject({ code: "insufficient_permission" });
    const standing = contextOf(person, { apiKeyId: key.id });
    await expect(issue({ ...standing, actor: { ...standing.actor, familyId: randomUUID() } as Context["actor"] })).rejects.toMatchObject({ code: "insufficient_permission" });
  });

  it("obtained in a session end with it, access and refresh tokens, and no later than it would", async () => {
    const { ctx, handle, meta } = await inSession();
    const pair = await issue(ctx);
    expect(pair.refresh_expires_in).toBeLessThanOrEqual(Math.ceil((meta.abs_exp - Date.now()) / 1000));
    expect(await codeOf(pair.access_token)).toBe("ok");
    const next = await again(pair.refresh_token);
    expect(JSON.stringify(next)).not.toContain(handle.share);
    await endSession(handle);
    expect(await codeOf(next.access_token)).toBe("invalid_credentials");
    await expect(again(next.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    // Refused before it was spent: no alarm for somebody who has only signed out.
    expect(await db().auditEvent.count({ where: { action: "token.reuse_detected", targetId: claimsOf(pair).fam } })).toBe(0);
  });

  it("obtained in a session end when Keycloak ends that, and another session's go on", async () => {
    const [one, other] = [await inSession("uma"), await inSession("uma")];
    const [first, second] = [await issue(one.ctx), await issue(other.ctx)];
    await markKeycloakSessionEnded(one.meta.kc_sid);
    expect([await codeOf(first.access_token), await codeOf(second.access_token)]).toEqual(["invalid_credentials", "ok"]);
  });

  it("obtained with a Keycloak token end with the sign-in behind it, by its session or by the person's mark", async () => {
    const person = await aPerson();
    const at = Math.floor(Date.now() / 1000);
    const with_ = (kcSid: string | null, since: number) => issue(contextOf(person, { credential: { kind: "keycloak", token: "t", expiresAt: 0, signIn: { kcSid, at: since } } }));
    const kcSid = randomUUID();
    const [byKilled, byOther, old] = [await with_(kcSid, at), await with_(randomUUID(), at), await with_(null, at - 100)];
    await markKeycloakSessionEnded(kcSid);
    await markPersonNotBefore({ iss: person.issuer, sub: person.sub }, at - 50);
    expect(await Promise.all([byKilled, byOther, old].map((pair) => codeOf(pair.access_token)))).toEqual(["invalid_credentials", "ok", "invalid_credentials"]);
    await expect(again(byKilled.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    // As long as such marks are kept, and no longer.
    expect(byOther.refresh_expires_in).toBeLessThanOrEqual(env().SESSION_ABSOLUTE_SECONDS);
  });

  it("revoked by a refresh token, by id or all: access tokens are dead with the answer, others' live", async () => {
    const { ctx, person } = await byKey();
    const stranger = await byKey();
    const [one, two, three] = [await issue(ctx), await issue(ctx), await issue(ctx)];
    const theirs = await issue(stranger.ctx);

    expect(await revokeTokens(caller(), { refresh_token: one.refresh_token })).toMatchObject({ revoked_count: 1, revoked_tokens: 1 });
    expect(await Promise.all([one, two].map((pair) => codeOf(pair.access_token)))).toEqual(["invalid_credentials", "ok"]);
    expect(await revokeTokens(caller(), { refresh_token: one.refresh_token })).toMatchObject({ revoked_count: 0 });

    expect(await revokeTokens(ctx, { refresh_token: theirs.refresh_token })).toMatchObject({ revoked_count: 0 });
    // An id that is not there, is another person's or was obtained otherwise is never a success without an effect.
    for (const token_id of [claimsOf(theirs).fam, claimsOf(theirs).jti, "nonsense", randomUUID()]) await expect(revokeTokens(ctx, { token_id }), token_id).rejects.toMatchObject({ code: "not_found" });
    expect(await revokeTokens(ctx, { token_id: claimsOf(two).jti })).toMatchObject({ revoked_count: 1 });
    expect(await codeOf(two.access_token)).toBe("invalid_credentials");

    // A key reaches its own; the person reaches all of theirs.
    const another = await createKey(contextOf(person), CreateKeyInput.parse({ name: "other" }));
    const four = await issue(contextOf(person, { apiKeyId: another.key.id }));
    await expect(revokeTokens(ctx, { token_id: claimsOf(four).jti }), "of another key").rejects.toMatchObject({ code: "not_found" });
    expect(await revokeTokens(ctx, { all: true })).toMatchObject({ revoked_count: 1 });
    expect(await Promise.all([three, four].map((pair) => codeOf(pair.access_token)))).toEqual(["invalid_credentials", "ok"]);
    expect(await revokeTokens(contextOf(person), { all_tokens: true })).toMatchObject({ revoked_count: 1 });
    expect(await Promise.all([four, theirs].map((pair) => codeOf(pair.access_token)))).toEqual(["invalid_credentials", "ok"]);
    expect(await db().auditEvent.count({ where: { action: "token.revoked", chain: person.tenantId } })).toBe(4);
    await expect(revokeTokens(caller(), { all: true })).rejects.toMatchObject({ code: "missing_credentials" });
    await expect(revokeTokens(ctx, {})).rejects.toMatchObject({ code: "validation_failed" });
  });

  const ways = [["one by its id", (pair: TokenPair) => ({ token_id: claimsOf(pair).fam })], ["one by its refresh token", (pair: TokenPair) => ({ refresh_token: pair.refresh_token })], ["all", () => ({ all: true as const })]] as const;
  it.each(ways)("whose end (%s) Redis did not confirm are dead when it is said again", async (_, input) => {
    const { ctx, person } = await byKey();
    const pair = await issue(ctx);
    expect(await codeOf(pair.access_token)).toBe("ok");
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
    await expect(revokeTokens(contextOf(person), input(pair))).rejects.toMatchObject({ code: "store_unavailable" });
    vi.restoreAllMocks();
    expect(await codeOf(pair.access_token), "the old copy still stands").toBe("ok");
    expect(await revokeTokens(contextOf(person), input(pair))).toMatchObject({ revoked_count: 0 });
    expect(await codeOf(pair.access_token)).toBe("invalid_credentials");
    expect(await db().auditEvent.count({ where: { action: "token.revoked", chain: person.tenantId } })).toBe(1);
  });

  it("of a person are ended in somebody else's transaction: undone with it, dead once it is confirmed", async () => {
    const { ctx, person } = await byKey();
    const pair = await issue(ctx);
    await expect(transaction(async (tx) => { await revokeTokensOf(tx, ctx, person.userId, "cut_off"); throw new Error("thought better of it"); })).rejects.toThrow();
    expect(await codeOf(pair.access_token)).toBe("ok");
    const ended = await transaction((tx) => revokeTokensOf(tx, ctx, person.userId, "cut_off"));
    await confirmEnded(ended);
    expect([ended.count, await codeOf(pair.access_token)]).toEqual([1, "invalid_credentials"]);
    expect(await db().auditEvent.findFirst({ where: { action: "token.revoked", targetId: person.userId }, select: { data: true, chain: true } })).toEqual({ data: { reason: "cut_off", count: 1 }, chain: person.tenantId });
  });

  it.each([["family", ["invalid_credentials", "ok"]], ["user", ["invalid_credentials", "invalid_credentials"]]] as const)("a refresh token that is used twice ends, with TOKEN_REUSE_SCOPE=%s, that much", async (scope, expected) => {
    const before = env();
    setEnv({ ...before, TOKEN_REUSE_SCOPE: scope });
    const { ctx } = await byKey();
    const [stolen, other] = [await issue(ctx), await issue(ctx)];
    await again(stolen.refresh_token);
    await expect(again(stolen.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    setEnv(before);
    expect([await codeOf(stolen.access_token), await codeOf(other.access_token)]).toEqual(expected);
  });

  it("of a theft whose alarm was cut short end when the token comes again, and what was obtained since lives", async () => {
    const before = env();
    setEnv({ ...before, TOKEN_REUSE_SCOPE: "user" });
    const { ctx } = await byKey();
    const [stolen, other] = [await issue(ctx), await issue(ctx)];
    await again(stolen.refresh_token);
    expect(await codeOf(other.access_token)).toBe("ok");
    const familyOf = (pair: TokenPair) => db().tokenFamily.findUniqueOrThrow({ where: { id: claimsOf(pair).fam } });
    vi.spyOn(redis(), "evalsha").mockRejectedValue(new Error("Command timed out"));
    await expect(again(stolen.refresh_token)).rejects.toMatchObject({ code: "store_unavailable" });
    vi.restoreAllMocks();
    expect((await familyOf(other)).revokedReason, "written before anything is confirmed").toBe("reuse");
    await expect(again(stolen.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    expect(await codeOf(other.access_token)).toBe("invalid_credentials");

    // As if the process had died between the two transactions.
    await db().tokenFamily.update({ where: { id: claimsOf(other).fam }, data: { revokedAt: null, revokedReason: null } });
    moveClock(1000);
    const since = await issue(ctx);
    await expect(again(stolen.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
    setEnv(before);
    expect([await codeOf(other.access_token), await codeOf(since.access_token)]).toEqual(["invalid_credentials", "ok"]);
    expect(await db().auditEvent.count({ where: { action: "token.reuse_detected", targetId: claimsOf(stolen).fam } })).toBe(1);
  });

  it("are listed for their owner alone, with where they are used and what they may do, until they end", async () => {
    const { ctx, person, key } = await byKey({ permissions: ["ai:predict"], chatflowIds: flows });
    const pair = await issue(ctx, { chatflowIds: [flows[0]] });
    await refreshPair({ ...caller(), ip: "192.0.2.9", userAgent: "robot/2" }, { refresh_token: pair.refresh_token });
    const session = await inSession();
    await issue(session.ctx, { permissions: ["usage:read"] });
    const [seen, ...more] = await listFamilies(contextOf(person));
    expect(more).toEqual([]);
    expect(seen).toMatchObject({ id: claimsOf(pair).fam, origin: "apiKey", key: { id: key.id, name: "k" }, ip: "192.0.2.9", userAgent: "robot/2", permissions: ["ai:predict"], chatflowCount: 1, refreshedAt: expect.any(String) });
    const mine = () => listFamilies(session.ctx);
    expect((await mine())[0]).toMatchObject({ origin: "session", key: null, permissions: ["usage:read"], chatflowCount: null });
    const before = (await mine()).length;
    await endSession(session.handle);
    expect((await mine()).length).toBe(before - 1);
  });

  it("that ended long ago are forgotten, living ones and their spent refresh tokens are not", async () => {
    const { ctx } = await byKey();
    const [old, living] = [await issue(ctx), await issue(ctx)];
    await again(living.refresh_token);
    await db().tokenFamily.update({ where: { id: claimsOf(old).fam }, data: { expiresAt: new Date(Date.now() - 8 * 86_400_000) } });
    await cleanUpTokens();
    expect(await db().tokenFamily.findMany({ where: { id: { in: [claimsOf(old).fam, claimsOf(living).fam] } }, select: { id: true } })).toEqual([{ id: claimsOf(living).fam }]);
    expect(await db().refreshToken.count({ where: { familyId: claimsOf(living).fam } })).toBe(2);
    moveClock(1000);
    await expect(again(living.refresh_token)).rejects.toMatchObject({ code: "invalid_credentials" });
  });
});
