import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context } from "@/lib/access";
import { type Credentials, identify } from "@/lib/entry/identify";
import { finishGrant, startGrant } from "@/lib/grants";
import { createAnyKey, createKey } from "@/lib/keys";
import { CreateAnyKeyInput, CreateKeyInput } from "@/lib/keys/schemas";
import { db, pool } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { issueToken } from "@/lib/tokens";
import { IssueTokenInput } from "@/lib/tokens/schemas";
import { revokePerson } from ".";
import { RevokePersonInput } from "./schemas";

let realm: Realm;
let admin: Context;
beforeAll(async () => {
  realm = await aRealm();
  admin = contextOf(await aPerson({ role: "admin" }));
});
// Who signs in in the second of a cut-off is cut off too.
beforeEach(async () => {
  const second = wholeSecond();
  await expect.poll(wholeSecond, soon).toBeGreaterThan(second);
});
afterAll(() => realm.close());

const wholeSecond = () => Math.floor(Date.now() / 1000);
const all = RevokePersonInput.parse({});

/** As a door lets somebody in. */
function atTheDoor(sent: Partial<Credentials>): Promise<Context> {
  const credentials: Credentials = { apiKey: null, authorization: null, cookie: null, origin: new URL(env().AUTH_URL).origin, safe: false, referer: null, ...sent };
  return identify(credentials, { requestId: randomUUID(), ip: "127.0.0.1", userAgent: "vitest" });
}
const inSession = async () => atTheDoor({ cookie: (await aSignIn(await realm.tokensFor("uma"))).cookie });
const bearer = (token: string) => atTheDoor({ authorization: `Bearer ${token}` });
const create = (ctx: Context) => createKey(ctx, CreateKeyInput.parse({ name: "in flight" }));
const userIdOf = ({ actor }: Context) => (actor.type === "user" || actor.type === "apiKey" ? actor.person.userId : "");
const tokenOf = async (ctx: Context) => bearer((await issueToken(ctx, IssueTokenInput.parse({}))).access_token);

const holding = new Set<() => Promise<void>>();
// Whatever a test came to: other files work on the same database.
afterEach(() => Promise.all([...holding].map((release) => release())));

/** Holds a lock, as a transaction before theirs would. */
async function hold(statement: string, value: string) {
  const client = await pool().connect();
  const release = async () => {
    if (!holding.delete(release)) return;
    await client.query("COMMIT");
    client.release();
  };
  holding.add(release);
  await client.query("BEGIN");
  await client.query(statement, [value]);
  const pid = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid;
  return {
    waiting: () => count("SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", pid),
    /** Of those who wait, the ones who hold the named lock. */
    waitingWith: (name: string) => count(`SELECT count(*) FROM pg_locks WHERE granted AND ${isNamed} AND $2 = ANY(pg_blocking_pids(pid))`, name, pid),
    release,
  };
}
const isNamed = "locktype = 'advisory' AND hashtextextended($1, 0) = ((classid::bigint << 32) | objid::bigint)";
const count = async (statement: string, ...values: unknown[]) => Number((await pool().query<{ count: string }>(statement, values)).rows[0]?.count);
const holdNamed = (name: string) => hold("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name);
const waitingFor = (name: string) => count(`SELECT count(*) FROM pg_locks WHERE NOT granted AND ${isNamed}`, name);
const soon = { timeout: 10_000 };
const living = (userId: string) => db().apiKey.count({ where: { userId, revokedAt: null } });

describe("a cut-off while something is being made", () => {
  const callers = [
    ["a session", inSession],
    ["a token of a session", async () => tokenOf(await inSession())],
    ["a token of Keycloak", async () => bearer((await realm.tokensFor("uma")).accessToken)],
    ["a key", async () => atTheDoor({ apiKey: (await createKey(await inSession(), CreateKeyInput.parse({ name: "maker", permissions: ["api-keys:create"] }))).secret })],
  ] as const;

  it.each(callers)("leaves no living key of those that wait to be created by %s", async (_, comeIn) => {
    const ctx = await comeIn();
    const userId = userIdOf(ctx);
    const lock = await holdNamed(`keys:${userId}`);
    const [before, after] = [create(ctx), create(ctx)].map((made) => made.then(() => "made", (error: { code: string }) => error.code));
    await expect.poll(lock.waiting, soon).toBe(2);
    const cutOff = revokePerson(admin, userId, all);
    await lock.release();
    await Promise.all([before, after, cutOff]);
    expect(await living(userId)).toBe(0);
    // And whoever comes to the lock later still.
    await expect(create(ctx)).rejects.toMatchObject({ code: expect.stringMatching(/^(session_expired|invalid_credentials|key_revoked)$/) as string });
    expect(await living(userId)).toBe(0);
  });

  it("waits for a key that is being written, and ends it too", async () => {
    const ctx = await inSession();
    const userId = userIdOf(ctx);
    // Holds up the row's foreign key, which is past everything that a creation asks; other people's of the tenant wait there as well.
    const tenant = await hold('SELECT 1 FROM "Tenant" WHERE id = $1 FOR UPDATE', ctx.tenantId);
    const made = create(ctx);
    await expect.poll(() => tenant.waitingWith(`keys:${userId}`), soon).toBe(1);
    let isDone = false;
    const cutOff = revokePerson(admin, userId, all).finally(() => { isDone = true; });
    await expect.poll(async () => isDone || (await waitingFor(`keys:${userId}`)) === 1, soon).toBe(true);
    await tenant.release();
    expect((await made).key.status).toBe("active");
    expect((await cutOff).keys).toBe(1);
    expect(await living(userId)).toBe(0);
  });

  it("ends the keys that an administrator made for others, those being made included, and what these made; other administrators' keys stay", async () => {
    const maker = await atTheDoor({ cookie: (await aSignIn(await realm.tokensFor("ada"))).cookie });
    const owner = await aPerson();
    const makeFor = (by: Context, name: string) => createAnyKey(by, CreateAnyKeyInput.parse({ tenant: owner.tenant, user: owner.userId, name, permissions: ["api-keys:create"] }));
    const first = await makeFor(maker, "first");
    await create(await atTheDoor({ apiKey: first.secret }));
    await makeFor(admin, "another administrator's");
    expect(await living(owner.userId)).toBe(3);
    const tenant = await hold('SELECT 1 FROM "Tenant" WHERE id = $1 FOR UPDATE', owner.tenantId);
    const made = makeFor(maker, "in flight");
    await expect.poll(() => tenant.waitingWith(`keys-by:${userIdOf(maker)}`), soon).toBe(1);
    const cutOff = revokePerson(admin, userIdOf(maker), all);
    await expect.poll(() => waitingFor(`keys-by:${userIdOf(maker)}`), soon).toBe(1);
    await tenant.release();
    await made;
    expect(await cutOff).toMatchObject({ keys_for_others: 3, message: expect.stringContaining("3 keys made for others") as string });
    expect(await db().apiKey.findMany({ where: { userId: owner.userId, revokedAt: null }, select: { name: true } })).toEqual([{ name: "another administrator's" }]);
    await expect(makeFor(maker, "late")).rejects.toMatchObject({ code: "session_expired" });
  });

  it("leaves them where the administrator who cuts off says so, or leaves the person's own keys too", async () => {
    const maker = contextOf(await aPerson({ role: "admin" }));
    const owner = await aPerson();
    await createAnyKey(maker, CreateAnyKeyInput.parse({ tenant: owner.tenant, user: owner.userId, name: "kept" }));
    for (const input of [{ keys_for_others: false }, { keys: false }]) expect(await revokePerson(admin, userIdOf(maker), RevokePersonInput.parse(input))).toMatchObject({ keys_for_others: 0 });
    expect(await living(owner.userId)).toBe(1);
  });

  it("keeps out: a key that waits to be created is refused, whatever its caller came with", async () => {
    const ctx = await bearer((await realm.tokensFor("gus")).accessToken);
    const userId = userIdOf(ctx);
    await revokePerson(admin, userId, { ...all, sessions: false, tokens: false, keys: false, grant: false, disable: true });
    await expect(create(ctx)).rejects.toMatchObject({ code: "owner_disabled" });
  });

  it("leaves no machine access that is being given", async () => {
    const ctx = await inSession();
    const userId = userIdOf(ctx);
    const { url, flowId } = await startGrant(ctx, null);
    const back = await realm.follow(url, { username: "uma" });
    const lock = await holdNamed(`grant:${userId}`);
    const giving = finishGrant(ctx, flowId, new URLSearchParams(back.search));
    await expect.poll(lock.waiting, soon).toBe(1);
    const cutOff = revokePerson(admin, userId, all);
    await expect.poll(lock.waiting, soon).toBe(2);
    await lock.release();
    expect(await giving).toMatchObject({ outcome: "failed" });
    await cutOff;
    expect(await db().ownerGrant.count({ where: { userId, sealed: { not: "" } } })).toBe(0);
    expect(await realm.calls("authorization_code")).toBeGreaterThan(0);
  });
});
