import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Browser } from "@/dev/identity/browser";
import { aRealm, type Realm } from "@/dev/testing/identity";
import { env } from "@/lib/platform/env";
import { requestToken } from "@/lib/platform/keycloak";
import { unknownCaller } from "./audit";
import { handleOf } from "./cookie";
import { createSession } from "./create-session";
import { endSession } from "./end-session";

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
    const back = new URL((await browser.open(logoutUrl)).url);
    expect(back.origin + back.pathname).toBe(`${env().AUTH_URL}/signed-out`);
    expect(back.searchParams.get("state")).toBe(state);
    expect(state).toMatch(/^[\w-]{20,}$/);
    expect(await asksForPassword(browser)).toBe(true);
  });

  it("works without a page when the ID token, which is the hint, has expired", async () => {
    await realm.control({ accessTokenTtl: 2 });
    const browser = new Browser();
    const tokens = await realm.tokensFor("vic", "web", browser);
    const handle = handleOf(await createSession(tokens, unknownCaller()));
    const endsAt = Number(decodeJwt(tokens.idToken ?? "").exp) * 1000;
    await expect.poll(() => Date.now(), { timeout: 10_000 }).toBeGreaterThan(endsAt + 1000);
    const { logoutUrl } = await endSession(handle);
    const page = await browser.open(logoutUrl);
    expect(new URL(page.url).pathname).toBe("/signed-out");
    expect(await asksForPassword(browser)).toBe(true);
  });

  it("leaves the machine access of the person alone", async () => {
    const browser = new Browser();
    const web = await realm.tokensFor("uma", "web", browser);
    const machine = await realm.tokensFor("uma", "machine", browser);
    const { logoutUrl } = await endSession(handleOf(await createSession(web, unknownCaller())));
    await browser.open(logoutUrl);
    expect((await requestToken("machine", { grant_type: "refresh_token", refresh_token: machine.refreshToken ?? "" })).refreshToken).toBeTruthy();
  });
});
