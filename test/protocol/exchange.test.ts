import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { claimsOf, offline, partyOf, refusal } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

const scopesIn = (token: unknown) => String(claimsOf(token).scope).split(" ").sort();
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";

describe("an exchanged token", () => {
  it.each(["nflow", "flowise"])("is for %s alone, of the same person and session", async (audience) => {
    const { tokens, claims } = await party.signIn("ada");
    const { status, body } = await party.exchange("sluice-web", tokens.access_token, audience);
    expect(status).toBe(200);
    const { payload } = await jwtVerify(String(body.access_token), party.keys, { issuer: realm.issuer });
    expect(decodeProtectedHeader(String(body.access_token))).toMatchObject({ alg: "RS256", typ: "JWT" });
    expect(payload).toMatchObject({ aud: audience, azp: "sluice-web", sub: claims.sub, sid: claims.sid, roles: ["admin"], groups: ["/acme"], typ: "Bearer" });
    expect(Number(payload.exp)).toBeLessThanOrEqual(Number(payload.iat) + 60);
  });

  it("comes without a refresh token and without an id token", async () => {
    const { tokens, claims } = await party.signIn("ada");
    const { body } = await party.exchange("sluice-web", tokens.access_token, "nflow");
    expect(body).toMatchObject({ token_type: "Bearer", issued_token_type: accessTokenType, session_state: claims.sid, refresh_expires_in: 0 });
    expect(body.refresh_token).toBeUndefined();
    expect(body.id_token).toBeUndefined();
  });

  it.each([["sluice-machine", "consent"], ["sluice-direct", "password"]])("is had of an offline session of %s as well", async (client) => {
    const given = client === "sluice-machine" ? (await party.signIn("ada", { client: "sluice-machine", more: offline })).tokens : (await party.byPassword("ada", offline)).body;
    const { status, body } = await party.exchange(client, given.access_token, "flowise");
    expect(status).toBe(200);
    expect(claimsOf(body.access_token)).toMatchObject({ aud: "flowise", azp: client, sid: claimsOf(given.access_token).sid });
    expect(body.refresh_token).toBeUndefined();
  });

  it("has the scope that is asked for, and not the lasting access that its subject has", async () => {
    const given = (await party.signIn("ada", { client: "sluice-machine", more: offline })).tokens;
    expect(scopesIn(given.access_token)).toContain("offline_access");
    const { status, body } = await party.exchange("sluice-machine", given.access_token, "flowise", { scope: "openid" });
    expect(status).toBe(200);
    expect(scopesIn(body.access_token)).toEqual(["email", "openid", "profile"]);
    expect((claimsOf(body.access_token).realm_access as { roles: string[] } | undefined)?.roles ?? []).not.toContain("offline_access");
    expect(await party.exchange("sluice-machine", given.access_token, "flowise", { scope: "openid nobody-has-this" })).toMatchObject(refusal(400, "invalid_scope"));
  });

  it("does not touch the chain of refresh tokens", async () => {
    await realm.order({ revokeRefreshToken: true });
    const { tokens } = await party.signIn("ada");
    await party.exchange("sluice-web", tokens.access_token, "nflow");
    await party.exchange("sluice-web", tokens.access_token, "nflow");
    expect((await party.refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
  });

  it("ends with its session", async () => {
    const { tokens, browser } = await party.signIn("ada");
    const { body } = await party.exchange("sluice-web", tokens.access_token, "nflow");
    expect((await party.userinfo(body.access_token)).status).toBe(200);
    await browser.open(party.logoutUrl({ id_token_hint: tokens.id_token }));
    expect((await party.userinfo(body.access_token)).status).toBe(401);
  });

  it("without an audience is for all that the client's mappers name", async () => {
    const { tokens } = await party.signIn("ada");
    const { body } = await party.token("sluice-web", { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: tokens.access_token, subject_token_type: accessTokenType });
    expect([...(claimsOf(body.access_token).aud as string[])].sort()).toEqual(["flowise", "nflow", "sluice-web"]);
  });
});

describe("an exchange is refused", () => {
  it("for an audience nobody knows, and for one outside of the mappers", async () => {
    const { tokens } = await party.signIn("ada");
    expect(await party.exchange("sluice-web", tokens.access_token, "nowhere")).toMatchObject(refusal(400, "invalid_client", "Audience not found"));
    expect(await party.exchange("sluice-web", tokens.access_token, "sluice-direct")).toMatchObject(refusal(400, "invalid_request", "Requested audience not available: sluice-direct"));
  });

  it("for a token of another client", async () => {
    const direct = (await party.byPassword("ada")).body.access_token;
    expect(await party.exchange("sluice-web", direct, "nflow")).toMatchObject(refusal(403, "access_denied", "Client is not within the token audience"));
  });

  it("for anything but an access token", async () => {
    const { tokens } = await party.signIn("ada");
    expect(await party.exchange("sluice-web", tokens.refresh_token, "nflow")).toMatchObject(refusal(400, "invalid_request", "Invalid token"));
    expect(await party.exchange("sluice-web", tokens.id_token, "nflow")).toMatchObject(refusal(400, "invalid_request"));
    expect(await party.exchange("sluice-web", "nonsense", "nflow")).toMatchObject(refusal(400, "invalid_request", "Invalid token"));
    expect(await party.exchange("sluice-web", tokens.refresh_token, "nflow", { subject_token_type: "urn:ietf:params:oauth:token-type:refresh_token" })).toMatchObject(refusal(400, "invalid_request"));
    expect(await party.exchange("sluice-web", tokens.access_token, "nflow", { requested_token_type: "urn:ietf:params:oauth:token-type:refresh_token" })).toMatchObject(refusal(400, "invalid_request"));
  });

  it("after the session ended, and for somebody disabled", async () => {
    const { tokens } = await party.signIn("ada");
    await party.post("logout", { client_id: "sluice-web", client_secret: "sluice-web-secret", refresh_token: tokens.refresh_token });
    expect(await party.exchange("sluice-web", tokens.access_token, "nflow")).toMatchObject(refusal(400, "invalid_request", "Invalid token"));
    const other = await party.signIn("dis");
    await realm.order({ disableUser: "dis" });
    expect(await party.exchange("sluice-web", other.tokens.access_token, "nflow")).toMatchObject(refusal(400, "invalid_request", "Invalid token"));
  });
});
