import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { afterAll, describe, expect, it } from "vitest";
import { call, control, demo, doors, eachDoor, keyOf, passwordOf, resetParts, revoke, tokensOf } from "./client";

afterAll(resetParts);

describe.each(eachDoor)("tokens at the $name door", ({ url }) => {
  it("a password gives a pair, and the answer says who it is for", async () => {
    const answer = await call(url, "POST", "/api/v1/chat/authenticate", { body: { username: "uma", password: passwordOf("uma") } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ token_type: "bearer", expires_in: 900, owner_grant: true, role: "user", user: { username: "uma", email: "uma@acme.test", isVerified: true, role: "user" } });
    expect(answer.json.user.permissions).toContain("ai:predict");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const me = await call(url, "GET", "/api/v1/auth/me", { bearer: answer.json.access_token });
    expect(me.json.data).toMatchObject({ id: answer.json.user.id, actor: "user" });
  });

  it("anyone verifies our tokens by the published key set, and it holds no private part", async () => {
    const { access_token, user } = await tokensOf("uma", url);
    const { payload } = await jwtVerify(access_token, createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`)), { issuer: demo.url, algorithms: ["ES256"] });
    const me = (await call(url, "GET", "/api/v1/auth/me", { bearer: access_token })).json.data;
    expect(payload).toMatchObject({ type: "access", sub: me.memberId });
    expect(payload.sub).not.toBe(user.id);
    expect((await call(url, "GET", "/.well-known/jwks.json")).text).not.toContain('"d"');
  });

  it("a key gives a pair that is bound to it: permissions, revocation and limits go with the token", async () => {
    const { key, id } = await keyOf("uma", { permissions: ["chatflows:read"], rateLimit: { requests: 20, window: 60 } });
    const answer = await call(url, "POST", "/api/v1/chat/authenticate", { body: { api_key: key } });
    expect([answer.headers.get("x-ratelimit-limit"), answer.headers.get("x-ratelimit-remaining")]).toEqual(["20", "19"]);
    const pair = answer.json;
    const me = await call(url, "GET", "/api/v1/auth/me", { bearer: pair.access_token });
    expect(me.json.data).toMatchObject({ actor: "apiKey", apiKeyId: id, permissions: ["chatflows:read"] });
    expect(me.headers.get("x-ratelimit-limit")).toBe("20");
    expect(Number(me.headers.get("x-ratelimit-remaining"))).toBeLessThan(19);
    expect((await call(url, "POST", "/api/v1/chat/predict", { bearer: pair.access_token, body: { chatflow_id: "x", question: "y" } })).json.code).toBe("insufficient_permission");
    await revoke("uma", id);
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: pair.access_token })).status).toBe(401);
    expect((await call(url, "POST", "/api/v1/chat/refresh", { body: { refresh_token: pair.refresh_token } })).status).toBe(401);
  });

  it("a refresh token works once; using it again ends the whole family, access tokens at once", async () => {
    const first = await tokensOf("uma", url);
    const second = await call(url, "POST", "/api/v1/chat/refresh", { body: { refresh_token: first.refresh_token } });
    expect(second.status).toBe(200);
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: second.json.access_token })).status).toBe(200);
    const reused = await call(url, "POST", "/api/v1/chat/refresh", { body: { refresh_token: first.refresh_token } });
    expect([reused.status, reused.json.code]).toEqual([401, "invalid_credentials"]);
    expect((await call(url, "GET", "/api/v1/auth/me", { bearer: second.json.access_token })).status).toBe(401);
    expect((await call(url, "POST", "/api/v1/chat/refresh", { body: { refresh_token: second.json.refresh_token } })).status).toBe(401);
  });

  it("a wrong password and an unknown name are refused alike, and `message` repeats the detail", async () => {
    const wrong = await call(url, "POST", "/api/v1/chat/authenticate", { body: { username: "gus", password: "wrong-password" } });
    const unknown = await call(url, "POST", "/api/v1/chat/authenticate", { body: { username: `nobody-${Date.now()}`, password: "wrong-password" } });
    expect([wrong.status, wrong.json.code]).toEqual([401, "invalid_credentials"]);
    expect([unknown.status, unknown.json.detail]).toEqual([401, wrong.json.detail]);
    expect(wrong.json.message).toBe(wrong.json.detail);
  });

  it("forged tokens are refused: no signature, another key, another algorithm, an expired one, one of our other kinds", async () => {
    const { access_token } = await tokensOf("uma", url);
    const claims = decodeJwt(access_token);
    const header = decodeProtectedHeader(access_token);
    const body = access_token.split(".")[1];
    const none = `${Buffer.from(JSON.stringify({ alg: "none", typ: header.typ })).toString("base64url")}.${body}.`;
    const hmac = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: header.kid ?? "" }).sign(new TextEncoder().encode("x".repeat(32)));
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
    const other = await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: header.kid ?? "", typ: header.typ }).sign(privateKey);
    for (const forged of [none, hmac, other, `${access_token.slice(0, -6)}AAAAAA`]) {
      const answer = await call(url, "GET", "/api/v1/auth/me", { bearer: forged });
      expect([answer.status, answer.json.code]).toEqual([401, "invalid_credentials"]);
    }
  });
});

it("a role taken away in Keycloak reaches keys with the owner's next sign-in, and a person without one gets nothing", async () => {
  const { key, id } = await keyOf("dis", { permissions: ["ai:predict", "api-keys:create"] });
  await control("identity", { setRoles: { dis: ["viewer"] } });
  await tokensOf("dis");
  expect((await call(doors.own, "GET", "/api/v1/auth/me", { key })).json.data).toMatchObject({ role: "viewer", permissions: ["ai:predict"] });
  await control("identity", { reset: true });
  await tokensOf("dis");
  expect((await call(doors.own, "GET", "/api/v1/auth/me", { key })).json.data.permissions).toContain("api-keys:create");
  const nobody = await call(doors.own, "POST", "/api/v1/chat/authenticate", { body: { username: "nel", password: passwordOf("nel") } });
  expect([nobody.status, nobody.json.code]).toEqual([403, "insufficient_permission"]);
  await revoke("dis", id);
});

it("a dozen sign-ins of one person at once, by name and by email, at both doors, all succeed", async () => {
  await tokensOf("vic");
  const body = (i: number) => ({ username: i % 3 ? "vic" : "Vic@acme.test", password: passwordOf("vic") });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => call(i % 2 ? doors.own : doors.next, "POST", "/api/v1/chat/authenticate", { body: body(i) })));
  expect(answers.map((answer) => answer.status)).toEqual(Array(12).fill(200));
  expect(new Set(answers.map((answer) => answer.json.access_token)).size).toBe(12);
});

it("ten wrong passwords close the name for a while, before Keycloak is asked, whether it exists or not", async () => {
  const username = `ghost-${Date.now()}`;
  const answers = [];
  for (let i = 0; i < 12; i++) answers.push(await call(i % 2 ? doors.own : doors.next, "POST", "/api/v1/chat/authenticate", { body: { username, password: `wrong-${i}` } }));
  expect(answers.slice(0, 10).map((a) => a.status)).toEqual(Array(10).fill(401));
  expect(answers.slice(10).map((a) => [a.status, a.json.code])).toEqual(Array(2).fill([429, "rate_limited"]));
  expect(Number(answers[11]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
});

it("the identity provider being away is 503 with Retry-After, never 401", async () => {
  await control("identity", { tokenStatus: 503 });
  const answer = await call(doors.own, "POST", "/api/v1/chat/authenticate", { body: { username: "uma", password: passwordOf("uma") } });
  await control("identity", { reset: true });
  expect([answer.status, answer.json.code]).toEqual([503, "identity_unavailable"]);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  await expect.poll(async () => (await call(doors.own, "POST", "/api/v1/chat/authenticate", { body: { username: "uma", password: passwordOf("uma") } })).status, { timeout: 15_000 }).toBe(200);
});
