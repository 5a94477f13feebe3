import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { anOwnerOf, forgetGrants } from "@/dev/testing/owners";
import { contextOf } from "@/dev/testing/people";
import { jobContext, type Person } from "@/lib/access";
import { getOwnerToken } from "@/lib/grants";
import { runJob } from "@/lib/jobs/table";
import { checkCall, createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { db } from "@/lib/platform/db";
import { env, setEnv } from "@/lib/platform/env";
import { verifyKeycloakToken } from "@/lib/platform/keycloak";
import { queue } from "@/lib/platform/queue";
import { untilFinished } from "@/lib/platform/unfinished";
import { findSession, getSessionToken } from "@/lib/sessions";
import { aSignIn } from "@/lib/sessions/sign-in.fixture";
import { disabledJob, identityOf, rememberPerson } from "@/lib/tenants";
import { sweepPeople, takeOverDisabled } from ".";

let realm: Realm;
beforeAll(async () => { realm = await aRealm(); });
// What was signed in in the second of a disabling counts as older.
beforeEach(async () => {
  await forgetGrants(realm);
  const second = wholeSecond();
  await expect.poll(wholeSecond).toBeGreaterThan(second);
});
afterEach(async () => {
  setEnv(undefined);
  await realm.control({ reset: true });
  await sweepPeople(jobContext("people.sweep", randomUUID()));
});
afterAll(() => realm.close());

const wholeSecond = () => Math.floor(Date.now() / 1000);
const withoutAccount = () => setEnv({ ...env(), KEYCLOAK_SYNC_CLIENT_ID: undefined });
const signIn = async () => rememberPerson(identityOf(await verifyKeycloakToken((await realm.tokensFor("dis")).accessToken)));

/** Somebody with a session, a key and a program's sign-in, none of which is asked to renew anything. */
async function someone() {
  const { person } = await signIn();
  const { secret } = await createKey(contextOf(person), CreateKeyInput.parse({ name: "k", permissions: ["chatflows:read"] }));
  const { cookie } = await aSignIn(await realm.tokensFor("dis"));
  const familyId = randomUUID();
  await db().tokenFamily.create({ data: { id: familyId, tenantId: person.tenantId, userId: person.userId, permissions: [], expiresAt: new Date(Date.now() + 60_000) } });
  const seen = async () => {
    const verdict = await checkCall({ kind: "secret", secret }, { ip: null, cost: 0 });
    const program = await checkCall({ kind: "user", userId: person.userId, familyId }, { ip: null, cost: 0 });
    return { key: verdict.ok ? "ok" : verdict.error.code, session: await findSession(cookie).then(Boolean, () => false), program: program.ok };
  };
  return { person, seen };
}
const all = { key: "ok", session: true, program: true };

/** Does what a worker would, if anything is asked of it. */
async function work({ userId }: Person): Promise<boolean> {
  await untilFinished(5000);
  const job = await queue().getJob(`${disabledJob.name}.${userId}`);
  if (!job) return false;
  await runJob({ name: job.name, data: job.data });
  await job.remove();
  return true;
}

const refusedSession = async () => {
  const { handle } = await aSignIn(realm.expired(await realm.tokensFor("dis")));
  return () => getSessionToken(handle, "nflow");
};
const refusedGrant = async () => {
  const { userId } = await anOwnerOf(realm, "dis");
  return () => getOwnerToken(userId, "nflow");
};
const meetings = [["a session's refresh", refusedSession], ["the grant's refresh", refusedGrant]] as const;

describe("a person whom Keycloak calls disabled", () => {
  it.each(meetings)("at %s is shut out with all that they act by, without a sweep; a sign-in lets them in again", async (_, meeting) => {
    withoutAccount();
    const { person, seen } = await someone();
    const refresh = await meeting();
    expect(await seen()).toEqual(all);
    await realm.control({ disableUser: "dis" });
    await expect(refresh()).rejects.toMatchObject({ code: expect.stringMatching(/^(session_expired|owner_disabled)$/) as string });
    expect(await work(person)).toBe(true);
    expect(await seen()).toEqual({ key: "owner_disabled", session: false, program: false });
    await realm.control({ enableUser: "dis" });
    const { keycloakStateAt } = await db().user.findUniqueOrThrow({ where: { id: person.userId } });
    await expect.poll(() => wholeSecond() * 1000).toBeGreaterThan(keycloakStateAt?.getTime() ?? 0);
    await signIn();
    expect(await seen()).toEqual({ key: "ok", session: false, program: false });
  });

  it("is let in again by a sweep that sees them enabled, and not shut out when they are by the time that Keycloak is asked", async () => {
    const { person, seen } = await someone();
    const refresh = await refusedSession();
    await realm.control({ disableUser: "dis" });
    await expect(refresh()).rejects.toMatchObject({ code: "session_expired" });
    await work(person);
    expect((await seen()).key).toBe("owner_disabled");
    await realm.control({ enableUser: "dis" });
    expect(await sweepPeople(jobContext("people.sweep", randomUUID()))).toMatchObject({ reactivated: 1 });
    expect((await seen()).key).toBe("ok");
    await takeOverDisabled(jobContext(disabledJob.name, randomUUID()), { userId: person.userId, seenAt: Date.now() + 60_000 });
    expect((await seen()).key).toBe("ok");
  });

  it("is not shut out by a word from before their newest token", async () => {
    withoutAccount();
    const { person, seen } = await someone();
    await takeOverDisabled(jobContext(disabledJob.name, randomUUID()), { userId: person.userId, seenAt: Date.now() - 60_000 });
    expect(await seen()).toEqual(all);
  });

  it.each([{ tokenStatus: 503 }, { tokenStatus: 429 }, { tokenError: "invalid_client" }, { tokenError: "unauthorized_client" }, { logoutUser: "dis" }, { revokeGrant: "dis" }])("is none where %o speaks", async (fault) => {
    withoutAccount();
    for (const [, meeting] of meetings) {
      const { person } = await signIn();
      const refresh = await meeting();
      await realm.control(fault);
      await refresh().catch(() => undefined);
      expect(await work(person)).toBe(false);
      await forgetGrants(realm);
    }
  });
});
