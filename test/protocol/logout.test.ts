import { afterAll, describe, expect, it } from "vitest";
import { Browser, formOf } from "../../dev/identity/browser";
import { headingOf, offline, partyOf, refusal, secretOf } from "./party";
import { aProtocolRealm, sluiceUrl } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterAll(() => realm.close());

const gone = refusal(400, "invalid_grant", "Session not active");
const bye = `${sluiceUrl}/bye`;

describe("signing out with an id token as hint", () => {
  it("ends the browser's session and sends it back with its state", async () => {
    const { tokens, browser } = await party.signIn("uma");
    const answer = await browser.request(party.logoutUrl({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: "s1" }));
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(`${bye}?state=s1`);
    expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(gone);
    expect((await party.introspect("sluice-web", tokens.access_token)).body).toEqual({ active: false });
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
  });

  it("needs no cookie", async () => {
    const { tokens, browser } = await party.signIn("uma");
    const answer = await new Browser().request(party.logoutUrl({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye }));
    expect(answer.headers.get("location")).toBe(bye);
    expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(gone);
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
  });

  it("ends every client of the session, and no other browser's", async () => {
    const here = await party.signIn("uma");
    const same = await party.signIn("uma", { browser: here.browser });
    const elsewhere = await party.signIn("uma");
    await here.browser.open(party.logoutUrl({ id_token_hint: here.tokens.id_token }));
    expect(await party.refresh("sluice-web", same.tokens.refresh_token)).toMatchObject(gone);
    expect((await party.refresh("sluice-web", elsewhere.tokens.refresh_token)).status).toBe(200);
  });

  it("works once more after the session has ended", async () => {
    const { tokens } = await party.signIn("uma");
    const url = party.logoutUrl({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye });
    await new Browser().request(url);
    expect((await new Browser().request(url)).headers.get("location")).toBe(bye);
  });

  it.each([
    ["an address nobody registered", { post_logout_redirect_uri: "http://localhost:39990/" }],
    ["another client's name", { client_id: "sluice-machine", post_logout_redirect_uri: bye }],
  ])("and %s is refused, and ends nothing", async (_, more) => {
    const { tokens } = await party.signIn("uma");
    const answer = await new Browser().open(party.logoutUrl({ id_token_hint: tokens.id_token, ...more }));
    expect(answer.status).toBe(400);
    expect(headingOf(answer.html)).toBe("We are sorry...");
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  });

  it("that is no id token of the realm is refused", async () => {
    const { tokens } = await party.signIn("uma");
    for (const hint of ["nonsense", tokens.access_token]) {
      expect((await new Browser().request(party.logoutUrl({ id_token_hint: hint, post_logout_redirect_uri: bye }))).status).toBe(400);
    }
  });
});

describe("signing out by a program", () => {
  it("with a refresh token ends the browser's session", async () => {
    const { tokens, browser } = await party.signIn("uma");
    expect(await party.post("logout", { ...secretOf("sluice-web"), refresh_token: tokens.refresh_token })).toEqual({ status: 204, body: {} });
    expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(gone);
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
  });

  it("with a refresh token that was spent ends it too, and again says nothing else", async () => {
    await realm.order({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const { tokens, browser } = await party.signIn("uma");
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
    for (let times = 0; times < 2; times++) expect((await party.post("logout", { ...secretOf("sluice-web"), refresh_token: tokens.refresh_token })).status).toBe(204);
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
    await realm.order({ reset: true });
  });

  it("with an offline token ends the offline session, and the browser's in which it was given", async () => {
    const { tokens, browser } = await party.signIn("uma");
    const machine = await party.signIn("uma", { client: "sluice-machine", browser, more: offline });
    expect((await party.post("logout", { ...secretOf("sluice-machine"), refresh_token: machine.tokens.refresh_token })).status).toBe(204);
    expect(await party.refresh("sluice-machine", machine.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Offline user session not found"));
    expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(gone);
    expect((await party.authorize("uma", { browser })).asked).toEqual(["name and password"]);
  });

  it("wants the client's own secret and its own token", async () => {
    const { tokens } = await party.signIn("uma");
    expect(await party.post("logout", { client_id: "sluice-web", client_secret: "wrong", refresh_token: tokens.refresh_token })).toMatchObject(refusal(401, "unauthorized_client"));
    expect(await party.post("logout", { ...secretOf("sluice-machine"), refresh_token: tokens.refresh_token })).toMatchObject(refusal(400, "invalid_grant"));
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  });
});

it("signing out without a hint asks first, and then ends the session", async () => {
  const { tokens, browser } = await party.signIn("uma");
  const page = await browser.open(party.logoutUrl({ client_id: "sluice-web", post_logout_redirect_uri: bye }));
  expect(page.status).toBe(200);
  expect(headingOf(page.html)).toBe("Logging out");
  expect(page.html).toContain('id="kc-logout"');
  expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  const { action, hidden } = formOf(page.html, page.url);
  const left = await browser.open(action, { ...hidden, confirmLogout: "Logout" });
  expect(left.url).toBe(bye);
  expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(gone);
});
