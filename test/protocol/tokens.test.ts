import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { fixedId } from "../../dev/identity/realm";
import { claimsOf, partyOf, secondsLeft } from "./party";
import { aProtocolRealm } from "./provider";

const realm = await aProtocolRealm();
const party = partyOf(realm);
afterEach(() => realm.order({ reset: true }));
afterAll(() => realm.close());

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe("an access token", () => {
  it("names the person, the session, the client and every upstream, under a key of the key set", async () => {
    const before = nowSeconds();
    const { tokens } = await party.signIn("uma");
    const { payload, protectedHeader } = await jwtVerify(tokens.access_token, party.keys, { issuer: realm.issuer, audience: "sluice-web" });
    expect(protectedHeader).toEqual({ alg: "RS256", typ: "JWT", kid: expect.any(String) as string });
    expect([...(payload.aud as string[])].sort()).toEqual(["flowise", "nflow", "sluice-web"]);
    expect(payload).toMatchObject({
      typ: "Bearer", azp: "sluice-web", sub: fixedId("user/uma"), acr: "1", scope: expect.stringContaining("openid") as string,
      realm_access: { roles: ["user"] }, roles: ["user"], groups: ["/acme"],
      preferred_username: "uma", email: "uma@acme.test", email_verified: true, name: "Uma Usher", given_name: "Uma", family_name: "Usher",
    });
    expect(payload.sid).toMatch(/^[\w-]{24}$/);
    expect(payload.jti).toBeTypeOf("string");
    expect(Number(payload.auth_time)).toBeGreaterThanOrEqual(before - 1);
    expect(Number(payload.auth_time)).toBeLessThanOrEqual(Number(payload.iat));
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
    expect(payload.nonce).toBeUndefined();
    expect(Object.keys(payload).sort()).toEqual("acr aud auth_time azp email email_verified exp family_name given_name groups iat iss jti name preferred_username realm_access roles scope sid sub typ".split(" "));
  });

  it("has no roles for somebody without any", async () => {
    const { claims } = await party.signIn("nel");
    expect(claims.roles).toBeUndefined();
    expect(claims.realm_access).toBeUndefined();
    expect(claims.groups).toEqual(["/acme"]);
  });
});

describe("the token answer", () => {
  it("says how long its tokens live and which session they are of", async () => {
    const { tokens, claims } = await party.signIn("uma");
    expect(tokens).toMatchObject({ expires_in: secondsLeft(60), refresh_expires_in: secondsLeft(1800), token_type: "Bearer", "not-before-policy": 0, session_state: claims.sid });
    expect(String(tokens.scope).split(" ").sort()).toEqual(["email", "openid", "profile"]);
    expect(Object.keys(tokens).sort()).toEqual("access_token expires_in id_token not-before-policy refresh_expires_in refresh_token scope session_state token_type".split(" "));
  });

  it("carries an id token for this client alone, with the nonce of the request and the access token's hash", async () => {
    const { tokens, claims } = await party.signIn("uma");
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, party.keys, { issuer: realm.issuer });
    expect(protectedHeader.alg).toBe("RS256");
    expect(payload).toMatchObject({
      typ: "ID", aud: "sluice-web", azp: "sluice-web", nonce: "no", sid: claims.sid, sub: claims.sub, auth_time: claims.auth_time, acr: "1",
      roles: ["user"], groups: ["/acme"], email: "uma@acme.test", preferred_username: "uma",
    });
    expect(payload.at_hash).toBeTypeOf("string");
    expect(payload.realm_access).toBeUndefined();
    expect(Object.keys(payload).sort()).toEqual("acr at_hash aud auth_time azp email email_verified exp family_name given_name groups iat iss jti name nonce preferred_username roles sid sub typ".split(" "));
  });

  it("carries a refresh token that only the realm can read", async () => {
    const { tokens, claims } = await party.signIn("uma");
    expect(decodeProtectedHeader(tokens.refresh_token).alg).toBe("HS512");
    const refresh = claimsOf(tokens.refresh_token);
    expect(refresh).toMatchObject({ typ: "Refresh", aud: realm.issuer, iss: realm.issuer, azp: "sluice-web", sub: claims.sub, sid: claims.sid });
    expect(Number(refresh.exp) - Number(refresh.iat)).toBe(1800);
  });
});

describe("the discovery document", () => {
  it("names what the product reads, below the issuer", async () => {
    const found = (await (await fetch(`${realm.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
    expect(found).toMatchObject({
      issuer: realm.issuer, authorization_endpoint: party.at("auth"), token_endpoint: party.at("token"), jwks_uri: party.at("certs"), userinfo_endpoint: party.at("userinfo"),
      end_session_endpoint: party.at("logout"), revocation_endpoint: party.at("revoke"), introspection_endpoint: party.at("token/introspect"),
      authorization_response_iss_parameter_supported: true, backchannel_logout_supported: true, backchannel_logout_session_supported: true,
    });
    expect(found.code_challenge_methods_supported).toContain("S256");
    expect(found.response_types_supported).toContain("code");
    expect(found.grant_types_supported).toEqual(expect.arrayContaining(["authorization_code", "refresh_token", "password", "client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]));
    expect(found.id_token_signing_alg_values_supported).toContain("RS256");
    expect(found.scopes_supported).toEqual(expect.arrayContaining(["openid", "offline_access", "profile", "email"]));
    expect(found.token_endpoint_auth_methods_supported).toEqual(expect.arrayContaining(["client_secret_basic", "client_secret_post"]));
  });

  it("leads to a key set with a key to verify by and one for encryption", async () => {
    const { keys } = (await (await fetch(party.at("certs"))).json()) as { keys: Record<string, unknown>[] };
    expect(keys.map(({ use, kty, alg }) => [use, kty, alg]).sort()).toEqual([["enc", "RSA", "RSA-OAEP"], ["sig", "RSA", "RS256"]]);
    for (const key of keys) expect(key).toMatchObject({ kid: expect.any(String) as string, n: expect.any(String) as string, e: "AQAB" });
    expect(JSON.stringify(keys)).not.toContain('"d":');
  });
});

describe("userinfo", () => {
  it("tells about the bearer of a living access token alone", async () => {
    const { tokens, claims } = await party.signIn("uma");
    const { status, body } = await party.userinfo(tokens.access_token);
    expect(status).toBe(200);
    expect(body).toEqual({
      sub: claims.sub, roles: ["user"], groups: ["/acme"], email: "uma@acme.test", email_verified: true,
      name: "Uma Usher", given_name: "Uma", family_name: "Usher", preferred_username: "uma",
    });
    const refused = await party.userinfo("nonsense");
    expect(refused.status).toBe(401);
    expect(refused.challenge).toBe('Bearer realm="sluice", error="invalid_token", error_description="Token verification failed"');
    expect((await party.userinfo(tokens.refresh_token)).status).toBe(401);
  });
});

describe("roles and groups", () => {
  it("are read anew at each refresh, for the id token too", async () => {
    const { tokens } = await party.signIn("uma");
    await realm.order({ setRoles: { uma: ["viewer"] }, setGroups: { uma: ["/globex"] } });
    const { body } = await party.refresh("sluice-web", tokens.refresh_token);
    for (const kind of ["access_token", "id_token"]) expect(claimsOf(body[kind])).toMatchObject({ roles: ["viewer"], groups: ["/globex"] });
    await realm.order({ setRoles: { uma: [] } });
    expect(claimsOf((await party.refresh("sluice-web", body.refresh_token)).body.access_token).roles).toBeUndefined();
  });

  it("and a shorter life of tokens hold from the next refresh on", async () => {
    const { tokens } = await party.signIn("uma");
    await realm.order({ accessTokenTtl: 7 });
    expect((await party.refresh("sluice-web", tokens.refresh_token)).body.expires_in).toEqual(secondsLeft(7));
  });
});
