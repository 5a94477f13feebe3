import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { aRealm, type Realm } from "@/dev/testing/identity";
import type { Permission } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { aSignIn, type SignedIn } from "@/lib/sessions/sign-in.fixture";
import { identify } from "./identify";

let realm: Realm;
let ada: SignedIn;
beforeAll(async () => void (realm = await aRealm()));
afterAll(() => realm.close());
beforeEach(async () => {
  ada = await aSignIn(realm.expired(await realm.tokensFor("ada")));
  await realm.forgetCalls();
});
afterEach(() => realm.control({ reset: true }));

/** What becomes of a call with ada's session: the caller's role, or the code of the refusal. */
async function callAs({ cookie }: SignedIn, options: { permission?: Permission; safe: boolean }): Promise<string | null> {
  try {
    const ctx = await identify({ apiKey: null, authorization: null, cookie, origin: new URL(env().AUTH_URL).origin, safe: options.safe, referer: null }, { requestId: "r", ip: null, userAgent: null }, options.permission);
    return "person" in ctx.actor ? ctx.actor.person.role : null;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
const refreshes = () => realm.calls("refresh_token");

it("a session whose access token has ended administers only with the role that Keycloak gives now", async () => {
  await realm.control({ setRoles: { ada: ["viewer"] } });
  expect(await callAs(ada, { permission: "admin:tenants", safe: true })).toBe("insufficient_permission");
  expect(await refreshes()).toBe(1);
});

it("a session whose access token has ended makes credentials only with the role that Keycloak gives now", async () => {
  await realm.control({ setRoles: { ada: ["viewer"] } });
  expect(await callAs(ada, { permission: "api-keys:create", safe: false })).toBe("insufficient_permission");
});

it("a session reads its own without waiting for Keycloak", async () => {
  await realm.control({ setRoles: { ada: ["viewer"] } });
  expect(await callAs(ada, { permission: "usage:read", safe: true })).toBe("admin");
  expect(await callAs(ada, { permission: "nflow:read", safe: false })).toBe("admin");
  expect(await refreshes()).toBe(0);
});

it("the last known role stands while Keycloak fails, and the session is kept", async () => {
  await realm.control({ tokenStatus: 503 });
  expect(await callAs(ada, { permission: "admin:tenants", safe: true })).toBe("admin");
  await realm.control({ reset: true, setRoles: { ada: ["viewer"] } });
  // The session leaves Keycloak alone for two seconds after a failure.
  await expect.poll(() => callAs(ada, { permission: "admin:tenants", safe: true }), { timeout: 8000 }).toBe("insufficient_permission");
});

it("a session that Keycloak has ended administers no more once its access token has ended", async () => {
  await realm.control({ logoutUser: "ada" });
  expect(await callAs(ada, { permission: "admin:tenants", safe: true })).toBe("session_expired");
});
