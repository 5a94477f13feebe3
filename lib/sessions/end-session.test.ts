import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser, formOf } from "@/dev/identity/browser";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { env } from "@/lib/platform/env";
import { requestToken } from "@/lib/platform/keycloak";
import { unknownCaller } from "./audit";
import { handleOf } from "./cookie";
import { createSession } from "./create-session";
import { endSession } from "./end-session";
import { endSessionById } from "./end-sessions";

let realm: Realm;
beforeAll(async () => {
  realm = await aRealm();
});
beforeEach(() => realm.control({ reset: true }));
afterAll(() => realm.close());

/** Whether Keycloak asks this browser who it is. */
async function asksForPassword(browser: Browser): Promise<boolean> {
  const query = { client_id: "sluice-web", response_type: "code", scope: "openid", redirect_uri: `${env().AUTH_URL}/api/auth/callback/keycloak`, state: "s", nonce: "n", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256" };
  const page = await browser.open(`${realm.issuer}/protocol/openid-connect/auth?${new URLSearchParams(query)}`);
  return page.html?.includes('name="password"') ?? false;
}

describe("signing out", () => {
  it("ends Keycloak's session too: its refresh token is refused, and the next sign-in asks for the password", async () => {
    const browser = new Browser();
    const tokens = await realm.tokensFor("uma", "web", browser);
    expect(await asksForPassword(browser)).toBe(false);
    const { logoutUrl, state } = await endSession(handleOf(await createSession(tokens, unknownCaller())));
    await expect(requestToken("web", { grant_type: "refresh_token", refresh_token: tokens.refreshToken ?? "" })).rejects.toMatchObject({ kind: "invalid_grant" });
    expect(logoutUrl).toBe(`${env().AUTH_URL}/signed-out?state=${state}`);
    expect(state).toMatch(/^[\w-]{20,}$/);
    expect(await asksForPassword(browser)).toBe(true);
  });

  it("works with a refresh token that was spent or has ended", async () => {
    await realm.control({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const browser = new Browser();
    const tokens = await realm.tokensFor("vic", "web", browser);
    const handle = handleOf(await createSession(tokens, unknownCaller()));
    await requestToken("web", { grant_type: "refresh_token", refresh_token: tokens.refreshToken ?? "" });
    const { logoutUrl } = await endSession(handle);
    expect(new URL(logoutUrl).pathname).toBe("/signed-out");
    expect(await asksForPassword(browser)).toBe(true);
  });

  it("that finds nothing left of it here leads to Keycloak's page, which asks and leads back", async () => {
    const browser = new Browser();
    const handle = handleOf(await createSession(await realm.tokensFor("vic", "web", browser), unknownCaller()));
    await endSessionById(handle.sessionId, "limit");
    const { logoutUrl, state } = await endSession(handle);
    const page = await browser.open(logoutUrl);
    expect(page.html).toContain("Do you want to log out?");
    expect(await asksForPassword(browser)).toBe(false);
    const { action, hidden } = formOf(page.html ?? "", page.url);
    const back = new URL((await browser.open(action, { ...hidden, confirmLogout: "Logout" })).url);
    expect([back.origin + back.pathname, back.searchParams.get("state")]).toEqual([`${env().AUTH_URL}/signed-out`, state]);
    expect(await asksForPassword(browser)).toBe(true);
  });

  it("leaves the machine access of the person alone", async () => {
    const browser = new Browser();
    const web = await realm.tokensFor("uma", "web", browser);
    const machine = await realm.tokensFor("uma", "machine", browser);
    await endSession(handleOf(await createSession(web, unknownCaller())));
    expect((await requestToken("machine", { grant_type: "refresh_token", refresh_token: machine.refreshToken ?? "" })).refreshToken).toBeTruthy();
  });
});
