import { afterAll, afterEach, describe, expect, it } from "vitest";
import { formOf, newVerifier } from "../../dev/identity/browser";
import { offline, partyOf, refusal } from "./party";
import { aProtocolRealm, password } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

/** A token of each kind. */
async function tokensOf(username: string) {
  const web = await party.signIn(username);
  const machine = await party.signIn(username, { client: "sluice-machine", browser: web.browser, more: offline });
  const direct = (await party.byPassword(username, offline)).body;
  return { web, refreshTokens: [["sluice-web", web.tokens.refresh_token], ["sluice-machine", machine.tokens.refresh_token], ["sluice-direct", direct.refresh_token]] as const };
}

describe("somebody who is disabled", () => {
  it("gets nothing for any token", async () => {
    const { web, refreshTokens } = await tokensOf("dis");
    await realm.order({ disableUser: "dis" });
    for (const [client, token] of refreshTokens) expect(await party.refresh(client, token)).toMatchObject(refusal(400, "invalid_grant", "User disabled"));
    expect((await party.introspect("sluice-web", web.tokens.access_token)).body).toEqual({ active: false });
    expect((await party.userinfo(web.tokens.access_token)).status).toBe(401);
  });

  it("has all old tokens back once enabled, used in between or not", async () => {
    await realm.order({ revokeRefreshToken: true });
    const { web, refreshTokens } = await tokensOf("dis");
    await realm.order({ disableUser: "dis" });
    for (const [client, token] of refreshTokens) await party.refresh(client, token);
    await realm.order({ enableUser: "dis" });
    expect((await party.userinfo(web.tokens.access_token)).status).toBe(200);
    expect((await party.introspect("sluice-web", web.tokens.access_token)).body.active).toBe(true);
    for (const [client, token] of refreshTokens) expect((await party.refresh(client, token)).status).toBe(200);
  });

  it("cannot sign in, by page or by password, and is told so only with the right one", async () => {
    const { browser } = await party.signIn("dis");
    await realm.order({ disableUser: "dis" });
    const tell = async (given: string) => {
      const page = await browser.open(party.authUrl("sluice-web", newVerifier().challenge));
      const form = formOf(page.html, page.url);
      return (await browser.open(form.action, { ...form.hidden, username: "dis", password: given })).html;
    };
    expect(await tell("wrong")).toContain("Invalid username or password.");
    expect(await tell(password)).toContain("Account is disabled, contact your administrator.");
    expect(await party.byPassword("dis")).toMatchObject(refusal(400, "invalid_grant", "Account disabled"));
    expect(await party.byPassword("dis", { password: "wrong" })).toMatchObject(refusal(400, "invalid_grant", "Invalid user credentials"));
  });

  it("gets nothing for a code that was made before", async () => {
    const { fields } = await party.authorize("dis");
    await realm.order({ disableUser: "dis" });
    expect(await party.token("sluice-web", fields)).toMatchObject(refusal(400, "invalid_grant"));
  });
});

describe("somebody who was deleted", () => {
  it("has no session and no name any more", async () => {
    const { web, refreshTokens } = await tokensOf("gus");
    await realm.order({ deleteUser: "gus" });
    const words = { "sluice-web": "Session not active", "sluice-machine": "Offline user session not found", "sluice-direct": "Offline user session not found" };
    for (const [client, token] of refreshTokens) expect(await party.refresh(client, token)).toMatchObject(refusal(400, "invalid_grant", words[client]));
    expect((await party.introspect("sluice-web", web.tokens.access_token)).body).toEqual({ active: false });
    expect((await party.userinfo(web.tokens.access_token)).status).toBe(401);
    expect(await party.byPassword("gus")).toMatchObject(refusal(400, "invalid_grant", "Invalid user credentials"));
    expect((await party.authorize("uma", { browser: web.browser })).asked).toEqual(["name and password"]);
  });
});
