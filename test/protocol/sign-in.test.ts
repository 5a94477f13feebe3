import { afterAll, describe, expect, it } from "vitest";
import { Browser, formOf, newVerifier } from "../../dev/identity/browser";
import { claimsOf, headingOf, later, partyOf, redirects, refusal, type SignIn } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterAll(() => realm.close());

describe("a code", () => {
  it("comes with state, issuer and session state, and buys tokens once", async () => {
    const { query, asked, tokens, fields } = await party.signIn("uma");
    expect(asked).toEqual(["name and password"]);
    expect(query.get("state")).toBe("st");
    expect(query.get("iss")).toBe(realm.issuer);
    expect(query.get("session_state")).toBe(tokens.session_state);
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);

    expect(await party.token("sluice-web", fields)).toMatchObject(refusal(400, "invalid_grant", "Code not valid"));
  });

  it("that is used again ends the client session it made", async () => {
    const { tokens, fields, browser, claims } = await party.signIn("uma");
    await party.token("sluice-web", fields);
    expect(await party.refresh("sluice-web", tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant"));
    expect((await party.introspect("sluice-web", tokens.access_token)).body).toEqual({ active: false });

    const silent = await party.signIn("uma", { browser });
    expect(silent.asked).toEqual([]);
    expect(silent.claims.sid).toBe(claims.sid);
  });

  it("is burned by a wrong verifier", async () => {
    const { fields } = await party.authorize("uma");
    expect(await party.token("sluice-web", { ...fields, code_verifier: newVerifier().verifier })).toMatchObject(refusal(400, "invalid_grant", "PKCE verification failed: Code mismatch"));
    expect(await party.token("sluice-web", fields)).toMatchObject(refusal(400, "invalid_grant", "Code not valid"));
  });

  it("is worth nothing without its verifier, with another address, or to another client", async () => {
    const { code_verifier: _left, ...withoutVerifier } = (await party.authorize("uma")).fields;
    expect(await party.token("sluice-web", withoutVerifier)).toMatchObject(refusal(400, "invalid_grant", "PKCE code verifier not specified"));
    const moved = (await party.authorize("uma")).fields;
    expect(await party.token("sluice-web", { ...moved, redirect_uri: `${redirects["sluice-web"]}/other` })).toMatchObject(refusal(400, "invalid_grant", "Incorrect redirect_uri"));
    const foreign = (await party.authorize("uma")).fields;
    expect(await party.token("sluice-machine", foreign)).toMatchObject(refusal(400, "invalid_grant"));
    expect(await party.token("sluice-web", { ...foreign, code: "guessed" })).toMatchObject(refusal(400, "invalid_grant", "Code not valid"));
  });
});

describe("an authorization request", () => {
  it.each([
    ["without a challenge", { code_challenge: undefined, code_challenge_method: undefined }],
    ["with a plain challenge", { code_challenge_method: "plain" }],
  ])("%s is sent back as invalid", async (_, more) => {
    const { url } = await new Browser().open(party.authUrl("sluice-web", newVerifier().challenge, more));
    expect(url.startsWith(redirects["sluice-web"])).toBe(true);
    const { searchParams } = new URL(url);
    expect(searchParams.get("error")).toBe("invalid_request");
    expect(searchParams.get("state")).toBe("st");
    expect(searchParams.get("code")).toBeNull();
  });

  it.each([
    ["to an address nobody registered", { redirect_uri: "http://localhost:1/evil" }],
    ["to a longer address than the registered one", { redirect_uri: `${redirects["sluice-web"]}/evil` }],
    ["of a client nobody knows", { client_id: "nobody" }],
  ])("%s goes nowhere", async (_, more) => {
    const page = await new Browser().open(party.authUrl("sluice-web", newVerifier().challenge, more));
    expect(page.status).toBe(400);
    expect(page.html).toContain("We are sorry...");
  });

  it("for offline access is refused to the client that may not have it", async () => {
    const { query } = await party.authorize("uma", { more: { scope: "openid offline_access" } });
    expect(query.get("error")).toBe("invalid_scope");
  });
});

describe("the password page", () => {
  it.each([["a wrong password", { username: "uma", password: "wrong" }], ["a name nobody has", { username: "nobody", password: "wrong" }]])("comes again after %s, with the same words", async (_, fields) => {
    const browser = new Browser();
    const page = await browser.open(party.authUrl("sluice-web", newVerifier().challenge));
    const form = formOf(page.html, page.url);
    const again = await browser.open(form.action, { ...form.hidden, ...fields });
    expect(again.status).toBe(200);
    expect(again.html).toContain("Invalid username or password.");
    expect(again.html).toContain('id="kc-login"');
  });

  it("names who is asked again, and says why", async () => {
    const { browser } = await party.signIn("uma");
    const page = await browser.open(party.authUrl("sluice-web", newVerifier().challenge, { prompt: "login" }));
    expect(headingOf(page.html)).toBe("Sign in to your account");
    expect(page.html).toContain("Please re-authenticate to continue");
    expect(page.html).toContain("uma");
    expect(page.html).not.toContain('name="username"');
  });

  it("takes the email as well and leads to the same person", async () => {
    expect((await party.signIn("nel@acme.test")).claims.sub).toBe((await party.signIn("nel")).claims.sub);
  });
});

describe("a browser that is signed in", () => {
  it("gets a code silently, in the same session, with level 0", async () => {
    const first = await party.signIn("uma");
    const silent = await party.signIn("uma", { browser: first.browser });
    expect(silent.asked).toEqual([]);
    expect(silent.claims).toMatchObject({ sid: first.claims.sid, acr: "0", auth_time: first.claims.auth_time });
    expect(first.claims.acr).toBe("1");
    expect((await party.signIn("uma", { browser: first.browser, more: { prompt: "none" } })).claims.sid).toBe(first.claims.sid);
  });

  const again: [string, SignIn["more"]][] = [["prompt=login", { prompt: "login" }], ["a max_age that is over", { max_age: "1" }], ["a level it cannot reach", { acr_values: "2" }]];
  it.concurrent.each(again)("is asked for the password alone by %s: new auth_time, same session, level 1, and older tokens learn of it", async (_, more) => {
    const first = await party.signIn("uma");
    await later(2200);
    const fresh = await party.signIn("uma", { browser: first.browser, more });
    expect(fresh.asked).toEqual(["password"]);
    expect(fresh.claims).toMatchObject({ sid: first.claims.sid, acr: "1" });
    expect(Number(fresh.claims.auth_time)).toBeGreaterThan(Number(first.claims.auth_time));
    const older = await party.refresh("sluice-web", first.tokens.refresh_token);
    expect(claimsOf(older.body.access_token).auth_time).toBe(fresh.claims.auth_time);
    expect(claimsOf(older.body.id_token).auth_time).toBe(fresh.claims.auth_time);
  });

  it("is not asked while max_age is met", async () => {
    const { browser } = await party.signIn("uma");
    expect((await party.signIn("uma", { browser, more: { max_age: "300" } })).asked).toEqual([]);
  });
});

describe("prompt=none", () => {
  it("answers login_required to a browser that nobody signed in", async () => {
    const { query, asked } = await party.authorize("uma", { more: { prompt: "none" } });
    expect(asked).toEqual([]);
    expect(query.get("error")).toBe("login_required");
    expect(query.get("state")).toBe("st");
  });
});
