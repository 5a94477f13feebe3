import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Browser, newVerifier } from "../../dev/identity/browser";
import { claimsOf, headingOf, later, offline, partyOf, refusal, secondsLeft, type SignIn } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
beforeEach(() => realm.order({ revokeGrant: "uma" }));
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

const machine = (options: SignIn = {}) => ({ client: "sluice-machine" as const, ...options, more: { ...offline, ...options.more } });
const days = 86_400;

describe("consent", () => {
  it("is asked for once, on a page that names the client", async () => {
    const first = await party.signIn("uma", machine());
    expect(first.asked).toEqual(["name and password", "consent"]);
    expect((await party.signIn("uma", machine())).asked).toEqual(["name and password"]);
  });

  it("page says who asks", async () => {
    const { browser } = await party.signIn("uma");
    const page = await browser.open(party.authUrl("sluice-machine", newVerifier().challenge, offline));
    expect(headingOf(page.html)).toBe("Grant Access to Sluice machine access");
    for (const id of ["kc-login", "kc-cancel"]) expect(page.html).toContain(`id="${id}"`);
    expect(page.html).toContain("Offline Access");
  });

  it("that is refused sends the browser back with access_denied, and is asked for again", async () => {
    const refused = await party.authorize("uma", machine({ consent: "No" }));
    expect(refused.query.get("error")).toBe("access_denied");
    expect(refused.query.get("code")).toBeNull();
    expect((await party.signIn("uma", machine())).asked).toContain("consent");
  });

  it("that is missing makes prompt=none answer interaction_required", async () => {
    const { browser } = await party.signIn("uma");
    expect((await party.authorize("uma", machine({ browser, more: { prompt: "none" } }))).query.get("error")).toBe("interaction_required");
  });

  it("that was withdrawn ends the offline session, leaves the browser's alone, and has to be given anew", async () => {
    const { browser, tokens } = await party.signIn("uma");
    const granted = await party.signIn("uma", machine({ browser }));
    await realm.order({ revokeGrant: "uma" });
    expect(await party.refresh("sluice-machine", granted.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Offline user session not found"));
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
    expect((await party.signIn("uma", machine({ browser }))).asked).toEqual(["consent"]);
  });
});

describe("an offline token", () => {
  it("is of its own kind, for the machine client, with the role that lets it be", async () => {
    const { tokens, claims } = await party.signIn("uma", machine());
    expect(String(tokens.scope).split(" ").sort()).toEqual(["email", "offline_access", "openid", "profile"]);
    expect(claimsOf(tokens.refresh_token)).toMatchObject({ typ: "Offline", azp: "sluice-machine", sid: claims.sid });
    expect(claims.azp).toBe("sluice-machine");
    expect([...(claims.aud as string[])].sort()).toEqual(["flowise", "nflow", "sluice-machine"]);
    expect([...(claims.roles as string[])].sort()).toEqual(["offline_access", "user"]);
  });

  it("lives as long as an idle offline session may", async () => {
    const { tokens } = await party.signIn("uma", machine());
    expect(tokens.refresh_expires_in).toEqual(secondsLeft(30 * days));
    const { exp, iat } = claimsOf(tokens.refresh_token);
    expect(Number(exp) - Number(iat)).toBe(30 * days);
  });

  it("has no end where the realm sets none", async () => {
    await realm.order({ offlineMaxLimited: false });
    const { tokens } = await party.signIn("uma", machine());
    expect(tokens.refresh_expires_in).toBe(0);
    expect(claimsOf(tokens.refresh_token).exp).toBeUndefined();
    const next = await party.refresh("sluice-machine", tokens.refresh_token);
    expect(next.body.refresh_expires_in).toBe(0);
    await realm.order({ offlineMaxLimited: true });
    const limited = await party.refresh("sluice-machine", next.body.refresh_token);
    expect(limited.body.refresh_expires_in).toEqual(secondsLeft(30 * days));
  });

  it("survives the sign-out of the browser in which it was given", async () => {
    const web = await party.signIn("uma");
    const granted = await party.signIn("uma", machine({ browser: web.browser }));
    expect(granted.claims.sid).toBe(web.claims.sid);
    await web.browser.open(party.logoutUrl({ id_token_hint: web.tokens.id_token }));
    expect(await party.refresh("sluice-web", web.tokens.refresh_token)).toMatchObject(refusal(400, "invalid_grant", "Session not active"));
    const alive = await party.refresh("sluice-machine", granted.tokens.refresh_token);
    expect(alive.status).toBe(200);
    expect(claimsOf(alive.body.access_token)).toMatchObject({ sid: web.claims.sid, sub: web.claims.sub });
  });

  it("given by a browser that came for nothing else leaves nobody signed in", async () => {
    const granted = await party.signIn("uma", machine());
    expect((await party.authorize("uma", { browser: granted.browser, more: { prompt: "none" } })).query.get("error")).toBe("login_required");
  });
});

describe("granting again", () => {
  it("in the same browser reuses the offline session, silently, and both tokens work", async () => {
    const { browser } = await party.signIn("uma");
    const first = await party.signIn("uma", machine({ browser }));
    await later();
    const renewed = await party.signIn("uma", machine({ browser, more: { prompt: "none" } }));
    expect(renewed.asked).toEqual([]);
    expect(renewed.claims.sid).toBe(first.claims.sid);
    expect((await party.refresh("sluice-machine", renewed.tokens.refresh_token)).status).toBe(200);
    expect((await party.refresh("sluice-machine", first.tokens.refresh_token)).status).toBe(200);
  });

  it("in another browser makes another, and revoking the old one leaves the new one", async () => {
    const first = await party.signIn("uma", machine());
    const web = await party.signIn("uma");
    const second = await party.signIn("uma", machine({ browser: web.browser, more: { prompt: "none" } }));
    expect(second.claims.sid).not.toBe(first.claims.sid);
    expect((await party.revoke("sluice-machine", first.tokens.refresh_token)).status).toBe(200);
    expect((await party.refresh("sluice-machine", first.tokens.refresh_token)).status).toBe(400);
    expect((await party.refresh("sluice-machine", second.tokens.refresh_token)).status).toBe(200);
  });

  it("needs no new consent after a token was revoked", async () => {
    const web = await party.signIn("uma");
    const first = await party.signIn("uma", machine({ browser: web.browser }));
    await party.revoke("sluice-machine", first.tokens.refresh_token);
    expect((await party.signIn("uma", machine({ browser: web.browser, more: { prompt: "none" } }))).asked).toEqual([]);
  });
});

describe("the password grant", () => {
  it("gives an offline session of its own each time, without a browser's", async () => {
    const one = await party.byPassword("uma", offline);
    const two = await party.byPassword("uma", offline);
    expect([one.status, two.status]).toEqual([200, 200]);
    const claims = claimsOf(one.body.access_token);
    expect(claims).toMatchObject({ azp: "sluice-direct", preferred_username: "uma", acr: "1" });
    expect(claims.auth_time).toBeUndefined();
    expect(claimsOf(two.body.access_token).sid).not.toBe(claims.sid);
    expect(claimsOf(one.body.refresh_token)).toMatchObject({ typ: "Offline" });
    expect(one.body.id_token).toBeTypeOf("string");
    await party.revoke("sluice-direct", one.body.refresh_token);
    expect((await party.refresh("sluice-direct", two.body.refresh_token)).status).toBe(200);
  });

  it("says no in the same words to a wrong password and an unknown name", async () => {
    const refused = refusal(400, "invalid_grant", "Invalid user credentials");
    expect(await party.byPassword("uma", { password: "wrong" })).toMatchObject(refused);
    expect(await party.byPassword("nobody")).toMatchObject(refused);
  });

  it("of one person is for one at a time where the realm protects passwords: others at once are refused like a wrong one", async () => {
    await realm.order({ bruteForceProtected: true });
    const answers = await Promise.all(Array.from({ length: 12 }, () => party.byPassword("uma")));
    const refused = answers.filter((answer) => answer.status !== 200);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(1);
    expect(refused.length).toBeGreaterThanOrEqual(1);
    for (const answer of refused) expect(answer).toMatchObject(refusal(400, "invalid_grant", "Invalid user credentials"));
    expect((await party.byPassword("uma")).status).toBe(200);
    await realm.order({ bruteForceProtected: false });
    expect((await Promise.all(Array.from({ length: 12 }, () => party.byPassword("uma")))).map(({ status }) => status)).toEqual(Array(12).fill(200));
  });

  it("is refused to the client that wants consent, even after it was given", async () => {
    const wanted = { grant_type: "password", username: "uma", password: "correct horse battery", ...offline };
    const refused = refusal(400, "unauthorized_client", "Client not allowed for direct access grants");
    expect(await party.token("sluice-machine", wanted)).toMatchObject(refused);
    await party.signIn("uma", machine({ browser: new Browser() }));
    expect(await party.token("sluice-machine", wanted)).toMatchObject(refused);
  });

  it("knows its scopes", async () => {
    expect(await party.byPassword("uma", { scope: "openid everything" })).toMatchObject(refusal(400, "invalid_scope"));
  });
});
