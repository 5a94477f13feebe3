import { createHmac } from "node:crypto";
import { decodeJwt, decodeProtectedHeader, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, callsTo, demo, doors, eachDoor, forgetCalls, keyOf, resetParts, revoke, signIn } from "./client";
import { keycloakTokens } from "./keycloak-token";
import { type Replica, startReplica } from "./replica";

let replica: Replica;
beforeAll(async () => { replica = await startReplica(); });
afterAll(async () => { await replica.stop(); await resetParts(); });

const me = (url: string, bearer: string) => call(url, "GET", "/api/v1/auth/me", { bearer });
const everywhere = async (bearer: string) => (await Promise.all([doors.own, doors.next, replica.url].map((url) => me(url, bearer)))).map(({ status }) => status);

describe.each(eachDoor)("short-lived tokens at the $name door", ({ url }) => {
  it("a key obtains a pair as narrow as it asks for, never wider, and refreshes it by the exchange's own path", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["read", "ai:predict"] });
    const pair = await call(url, "POST", "/api/v1/auth/token", { key, body: { permissions: ["usage:read"] } });
    expect(pair.status).toBe(200);
    expect(pair.json).toMatchObject({ token_type: "bearer", expires_in: 900, refresh_expires_in: 604_800, user: { username: "uma", permissions: ["usage:read"] } });
    expect(decodeJwt(pair.json.access_token)).toMatchObject({ type: "access", key_id: id, iss: demo.url, sub: expect.any(String), jti: expect.any(String), nbf: expect.any(Number), tenant: "acme" });
    expect((await me(url, pair.json.access_token)).json.data).toMatchObject({ actor: "apiKey", apiKeyId: id, permissions: ["usage:read"] });
    for (const body of [{ permissions: ["ai:train"] }, { permissions: ["*"] }]) {
      const wider = await call(url, "POST", "/api/v1/auth/token", { key, body });
      expect([wider.status, wider.json.code]).toEqual([403, "permission_escalation"]);
    }
    expect((await call(url, "POST", "/api/v1/auth/token", { key, body: { permission: ["usage:read"] } })).json.code).toBe("validation_failed");
    const next = await call(url, "POST", "/api/v1/auth/token/refresh", { body: { refresh_token: pair.json.refresh_token } });
    expect([next.status, next.json.user.permissions]).toEqual([200, ["usage:read"]]);
    expect((await call(url, "POST", "/api/v1/auth/token/refresh", { body: { refresh_token: pair.json.refresh_token, x: 1 } })).status).toBe(422);
    await revoke("uma", id);
    expect((await me(url, next.json.access_token)).json.code).toBe("key_revoked");
  });

  it("tokens keep to their chatflows as keys do", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["chatflows:read"] });
    const all = (await call(url, "GET", "/api/v1/chatflows", { key })).json as { id: string }[];
    const only = all[0]!.id;
    const pair = await call(url, "POST", "/api/v1/auth/token", { key, body: { chatflowIds: [only] } });
    expect((await call(url, "GET", "/api/v1/chatflows", { bearer: pair.json.access_token })).json.map((flow: { id: string }) => flow.id)).toEqual([only]);
    expect((await call(url, "GET", `/api/v1/chatflows/${all[1]!.id}`, { bearer: pair.json.access_token })).status).toBe(404);
    await revoke("uma", id);
  });

  it("tokens of a session end when that is signed out", async () => {
    const browser = await signIn("uma");
    const cookie = browser.cookies(demo.url);
    const pair = await call(url, "POST", "/api/v1/auth/token", { cookie, headers: { origin: demo.url } });
    expect(pair.status).toBe(200);
    expect(await everywhere(pair.json.access_token)).toEqual([200, 200, 200]);
    expect((await call(url, "POST", "/api/v1/auth/token", { cookie })).json.code).toBe("cross_origin");
    const { csrfToken } = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
    await browser.go(`${demo.url}/api/auth/signout`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken }) });
    expect(await everywhere(pair.json.access_token)).toEqual([401, 401, 401]);
    expect((await call(url, "POST", "/api/v1/auth/token/refresh", { body: { refresh_token: pair.json.refresh_token } })).status).toBe(401);
  });

  it("a Keycloak token obtains a pair, a gateway token does not", async () => {
    const { access_token } = await keycloakTokens("uma", "web");
    const pair = await call(url, "POST", "/api/v1/auth/token", { bearer: access_token, body: {} });
    expect([pair.status, pair.json.user.username]).toEqual([200, "uma"]);
    const again = await call(url, "POST", "/api/v1/auth/token", { bearer: pair.json.access_token, body: {} });
    expect([again.status, again.json.code]).toEqual([403, "insufficient_permission"]);
  });

  it.each([["/api/v1/auth/token/revoke", { all: true }], ["/api/v1/chat/revoke", { all_tokens: true }]])("%s ends tokens on every replica with its answer", async (path, all) => {
    const { key, id } = await keyOf("uma", { permissions: ["ai:predict"] });
    const obtain = async () => (await call(url, "POST", "/api/v1/auth/token", { key, body: {} })).json as { access_token: string; refresh_token: string };
    const [one, two, three] = [await obtain(), await obtain(), await obtain()];
    // The refresh token is credential enough: an expired access token must not keep anybody signed in.
    expect((await call(url, "POST", path, { body: { refresh_token: one.refresh_token } })).json).toMatchObject({ revoked_count: 1, revoked_tokens: 1, message: expect.any(String) });
    expect([await everywhere(one.access_token), await everywhere(two.access_token)]).toEqual([[401, 401, 401], [200, 200, 200]]);
    expect((await call(url, "POST", path, { bearer: two.access_token })).json.revoked_count).toBe(1);
    expect(await everywhere(two.access_token)).toEqual([401, 401, 401]);
    expect((await call(url, "POST", path, { bearer: three.access_token, body: all })).json.revoked_count).toBe(1);
    expect(await everywhere(three.access_token)).toEqual([401, 401, 401]);
    const nobody = await call(url, "POST", path, { body: all });
    expect([nobody.status, nobody.json.code]).toEqual([401, "missing_credentials"]);
    await revoke("uma", id);
  });
});

describe("tokens of the realm", () => {
  it("only an access token for our client is taken: nothing forged, of another kind, for another audience or past its end", async () => {
    const web = await keycloakTokens("uma", "web");
    const claims = decodeJwt(web.access_token);
    const header = decodeProtectedHeader(web.access_token);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const keys = (await (await fetch(`${demo.issuer}/protocol/openid-connect/certs`)).json()) as { keys: Record<string, unknown>[] };
    const publicKey = JSON.stringify(keys.keys.find((one) => one.kid === header.kid));
    const hmacBody = `${part({ alg: "HS256", kid: header.kid, typ: "JWT" })}.${part(claims)}`;
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const bad: Record<string, string> = {
      "no signature": `${part({ ...header, alg: "none" })}.${part(claims)}.`,
      "HMAC with the public key": `${hmacBody}.${createHmac("sha256", publicKey).update(hmacBody).digest("base64url")}`,
      "another key": await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: header.kid ?? "" }).sign(privateKey),
      "a changed claim": `${part(header)}.${part({ ...claims, sub: "somebody-else" })}.${web.access_token.split(".")[2]}`,
      "an ID token": web.id_token ?? "",
      "a refresh token": web.refresh_token,
      "another client's": (await keycloakTokens("uma", "direct")).access_token,
      "another issuer": await new SignJWT({ ...claims, iss: "https://elsewhere.example" }).setProtectedHeader({ alg: "ES256", kid: header.kid ?? "" }).sign(privateKey),
    };
    for (const [what, token] of Object.entries(bad)) {
      for (const path of ["GET /api/v1/auth/me", "POST /api/v1/auth/token"]) {
        const [method = "", address = ""] = path.split(" ");
        const answer = await call(doors.own, method, address, { bearer: token, ...(method === "POST" && { body: {} }) });
        expect([answer.status, answer.json.code], `${what}: ${path}`).toEqual([401, "invalid_credentials"]);
      }
    }
    expect((await me(doors.own, web.access_token)).status).toBe(200);
  });

  it("an unknown key id makes the realm's keys be read again at most once in half a minute", async () => {
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const { access_token } = await keycloakTokens("uma", "web");
    const fresh = await startReplica();
    const reads = async () => (await callsTo("identity")).filter(({ path }) => path.endsWith("/certs")).length;
    await forgetCalls("identity");
    await me(fresh.url, access_token);
    expect(await reads()).toBe(1);
    const strangers = await Promise.all(Array.from({ length: 10 }, (_, i) => new SignJWT(decodeJwt(access_token)).setProtectedHeader({ alg: "ES256", kid: `made-up-${i}` }).sign(privateKey)));
    for (const token of strangers) expect((await me(fresh.url, token)).json.code).toBe("invalid_credentials");
    expect(await reads()).toBeLessThanOrEqual(2);
    expect((await me(fresh.url, access_token)).status).toBe(200);
    await fresh.stop();
  });
});
