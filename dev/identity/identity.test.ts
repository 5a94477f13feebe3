import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Browser, formOf, newVerifier } from "./browser";
import { type Identity, startIdentity } from "./server";

const sluiceUrl = "http://localhost:3999";
const password = "correct horse battery";
const redirects = { "sluice-web": `${sluiceUrl}/api/auth/callback/keycloak`, "sluice-machine": `${sluiceUrl}/api/owner-grant/callback` };
type CodeClient = keyof typeof redirects;
type Answer = Record<string, unknown> & { access_token: string; refresh_token: string; id_token: string };

const folder = mkdtempSync(join(tmpdir(), "identity-test-"));
const stateFile = join(folder, "identity.json");
let identity: Identity;
const at = (path: string) => `${identity.issuer}/protocol/openid-connect/${path}`;

beforeAll(async () => {
  identity = await startIdentity({ stateFile, sluiceUrl, demoPassword: password });
});
afterEach(async () => {
  await control({ reset: true });
});
afterAll(async () => {
  await identity.close();
  rmSync(folder, { recursive: true });
});

async function post(url: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(fields) });
  const text = await response.text();
  return { status: response.status, body: text ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

async function control(wish: object): Promise<number> {
  const response = await fetch(`${identity.origin}/__control`, { method: "POST", body: JSON.stringify(wish) });
  return response.status;
}

const secretOf = (client: string) => ({ client_id: client, client_secret: `${client}-secret` });
const token = (client: string, fields: Record<string, string>) => post(at("token"), { ...secretOf(client), ...fields });
const refresh = (client: string, refreshToken: unknown) => token(client, { grant_type: "refresh_token", refresh_token: String(refreshToken) });
const exchange = (client: string, subject: string, audience: string) =>
  token(client, { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: subject, subject_token_type: "urn:ietf:params:oauth:token-type:access_token", audience });
const byPassword = (username: string, fields: Record<string, string> = {}) => token("sluice-direct", { grant_type: "password", username, password, scope: "openid", ...fields });

function authUrl(client: CodeClient, challenge: string, more: Record<string, string> = {}): string {
  const query = { client_id: client, response_type: "code", scope: "openid", redirect_uri: redirects[client], state: "st", nonce: "no", code_challenge: challenge, code_challenge_method: "S256", ...more };
  return `${at("auth")}?${new URLSearchParams(query)}`;
}

/** Through every page up to the code, and on to the tokens. */
async function signIn(username: string, options: { client?: CodeClient; browser?: Browser; more?: Record<string, string> } = {}) {
  const { client = "sluice-web", browser = new Browser(), more } = options;
  const { verifier, challenge } = newVerifier();
  let page = await browser.open(authUrl(client, challenge, more));
  const seen: string[] = [];
  for (let step = 0; page.html && step < 4; step++) {
    const form = formOf(page.html, page.url);
    const isConsent = page.html.includes("Grant Access");
    seen.push(/<h1[^>]*>([^<]+)/.exec(page.html)?.[1] ?? "");
    page = await browser.open(form.action, isConsent ? { ...form.hidden, accept: "Yes" } : { ...form.hidden, username, password });
  }
  const query = new URL(page.url).searchParams;
  const code = query.get("code");
  const fields = { grant_type: "authorization_code", code: code ?? "", redirect_uri: redirects[client], code_verifier: verifier };
  const answer = code ? await token(client, fields) : { status: 0, body: {} };
  return { browser, query, seen, fields, status: answer.status, tokens: answer.body as Answer };
}

const offline = { scope: "openid offline_access" };

describe("signing in", () => {
  it("gives tokens that look like Keycloak's", async () => {
    const { tokens, query, seen } = await signIn("uma");
    expect(seen).toEqual(["Sign in to your account"]);
    expect(query.get("state")).toBe("st");
    expect(query.get("iss")).toBe(identity.issuer);
    const keys = createRemoteJWKSet(new URL(at("certs")));
    const { payload, protectedHeader } = await jwtVerify(tokens.access_token, keys, { issuer: identity.issuer, audience: "nflow" });
    expect(protectedHeader).toMatchObject({ alg: "RS256", typ: "JWT" });
    expect([...(payload.aud as string[])].sort()).toEqual(["flowise", "nflow", "sluice-web"]);
    expect(payload).toMatchObject({
      azp: "sluice-web", typ: "Bearer", acr: "1", realm_access: { roles: ["user"] }, roles: ["user"], groups: ["/acme"], preferred_username: "uma",
      email: "uma@acme.test", email_verified: true, name: "Uma Usher", given_name: "Uma", family_name: "Usher",
    });
    expect(payload.sid).toHaveLength(24);
    const id = await jwtVerify(tokens.id_token, keys, { issuer: identity.issuer, audience: "sluice-web" });
    expect(id.payload).toMatchObject({ nonce: "no", sid: payload.sid, sub: payload.sub, roles: ["user"], groups: ["/acme"], auth_time: payload.auth_time });
    expect(tokens).toMatchObject({ expires_in: 60, token_type: "Bearer", "not-before-policy": 0, session_state: payload.sid, scope: "openid email profile" });
    expect(decodeProtectedHeader(tokens.refresh_token).alg).toBe("HS512");
    expect(tokens.refresh_expires_in).toBe(1800);
  });

  it("takes the email as well, keeps the sub, and leaves out roles of somebody without any", async () => {
    const byName = decodeJwt((await signIn("nel")).tokens.access_token);
    const byEmail = decodeJwt((await signIn("nel@acme.test")).tokens.access_token);
    expect(byEmail.sub).toBe(byName.sub);
    expect(byName.roles).toBeUndefined();
    expect(byName.realm_access).toBeUndefined();
  });

  it("refuses a wrong password, on the same page", async () => {
    const browser = new Browser();
    const page = await browser.open(authUrl("sluice-web", newVerifier().challenge));
    const again = await browser.open(formOf(page.html, page.url).action, { username: "uma", password: "wrong" });
    expect(again.html).toContain("Invalid username or password.");
    expect(again.html).toContain('id="kc-login"');
  });

  it.each([["no challenge", { code_challenge: "", code_challenge_method: "" }], ["plain", { code_challenge_method: "plain" }]])("refuses PKCE with %s", async (_, more) => {
    const url = new URL(authUrl("sluice-web", newVerifier().challenge, more));
    for (const [name, value] of [...url.searchParams]) if (value === "") url.searchParams.delete(name);
    const { url: back } = await new Browser().open(url.href);
    expect(back.startsWith(redirects["sluice-web"])).toBe(true);
    expect(new URL(back).searchParams.get("error")).toBe("invalid_request");
    expect(new URL(back).searchParams.get("state")).toBe("st");
  });

  it("does not redirect to an address nobody registered", async () => {
    const page = await new Browser().open(authUrl("sluice-web", newVerifier().challenge, { redirect_uri: "http://localhost:1/evil" }));
    expect(page.status).toBe(400);
    expect(page.html).toContain("We are sorry");
  });

  it("burns a code on the wrong verifier, and ends the session of a replayed one", async () => {
    const { browser } = await signIn("uma");
    const { challenge } = newVerifier();
    const code = new URL((await browser.open(authUrl("sluice-web", challenge))).url).searchParams.get("code") ?? "";
    const fields = { grant_type: "authorization_code", code, redirect_uri: redirects["sluice-web"], code_verifier: newVerifier().verifier };
    expect(await token("sluice-web", fields)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });

    const replayed = await signIn("uma");
    expect(await token("sluice-web", replayed.fields)).toMatchObject({ status: 400, body: { error: "invalid_grant", error_description: "Code not valid" } });
    expect(await refresh("sluice-web", replayed.tokens.refresh_token)).toMatchObject({ status: 400, body: { error_description: "Session doesn't have required client" } });
  });

  it("is silent while the browser is signed in, and asks for the password alone when told to", async () => {
    const first = await signIn("uma");
    const { sid, auth_time: authTime } = decodeJwt(first.tokens.access_token);
    const silent = await signIn("uma", { browser: first.browser });
    expect(silent.seen).toEqual([]);
    expect(decodeJwt(silent.tokens.access_token)).toMatchObject({ sid, acr: "0", auth_time: authTime });
    expect((await signIn("uma", { browser: first.browser, more: { max_age: "300" } })).seen).toEqual([]);
    await new Promise((done) => setTimeout(done, 1100));
    const again = await signIn("uma", { browser: first.browser, more: { prompt: "login" } });
    expect(again.seen).toHaveLength(1);
    const claims = decodeJwt(again.tokens.access_token);
    expect(claims).toMatchObject({ sid, acr: "1" });
    expect(Number(claims.auth_time)).toBeGreaterThan(Number(authTime));
    const older = await refresh("sluice-web", first.tokens.refresh_token);
    expect(decodeJwt(String(older.body.access_token)).auth_time).toBe(claims.auth_time);
    expect((await signIn("uma", { browser: first.browser, more: { acr_values: "2" } })).seen).toHaveLength(1);
  });

  it("answers prompt=none with what is missing", async () => {
    const none = (browser: Browser, client: CodeClient, more = {}) => signIn("uma", { browser, client, more: { prompt: "none", ...more } });
    expect((await none(new Browser(), "sluice-web")).query.get("error")).toBe("login_required");
    await control({ revokeGrant: "uma" });
    const { browser } = await signIn("uma");
    expect((await none(browser, "sluice-machine", offline)).query.get("error")).toBe("interaction_required");
  });
});

describe("refreshing", () => {
  const turn = (revokeRefreshToken: boolean, refreshTokenMaxReuse = 0) => control({ revokeRefreshToken, refreshTokenMaxReuse });

  it("off: every token works for ever", async () => {
    const { tokens } = await signIn("uma");
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh("sluice-web", tokens.refresh_token)));
    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect((await refresh("sluice-web", body.refresh_token)).status).toBe(200);
    }
  });

  it("on+0: a second use ends the client session, the winner's tokens too, and leaves the browser signed in", async () => {
    await turn(true);
    const { tokens, browser } = await signIn("uma");
    const winner = await refresh("sluice-web", tokens.refresh_token);
    expect(winner.status).toBe(200);
    expect((await refresh("sluice-web", tokens.refresh_token)).body).toEqual({ error: "invalid_grant", error_description: "Maximum allowed refresh token reuse exceeded" });
    expect((await refresh("sluice-web", winner.body.refresh_token)).body.error_description).toBe("Session doesn't have required client");
    expect((await exchange("sluice-web", String(winner.body.access_token), "nflow")).body.error_description).toBe("Invalid token");
    const silent = await signIn("uma", { browser });
    expect(silent.seen).toEqual([]);
    expect(decodeJwt(silent.tokens.access_token).sid).toBe(decodeJwt(tokens.access_token).sid);
  });

  it("on+0: of twenty at once one is answered, and dead when it arrives", async () => {
    await turn(true);
    const { tokens } = await signIn("uma");
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh("sluice-web", tokens.refresh_token)));
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(1);
    expect((await refresh("sluice-web", good[0]?.body.refresh_token)).status).toBe(400);
  });

  it("on+1: the same token works twice, only the later successor is good, the earlier one ends all", async () => {
    await turn(true, 1);
    const { tokens } = await signIn("uma");
    const earlier = await refresh("sluice-web", tokens.refresh_token);
    const later = await refresh("sluice-web", tokens.refresh_token);
    const next = await refresh("sluice-web", later.body.refresh_token);
    expect([earlier.status, later.status, next.status]).toEqual([200, 200, 200]);
    expect((await refresh("sluice-web", earlier.body.refresh_token)).body.error_description).toBe("Stale token");
    expect((await refresh("sluice-web", next.body.refresh_token)).status).toBe(400);
  });

  it("ends a client session for any of its refresh tokens at /revoke", async () => {
    const { tokens } = await signIn("uma");
    const next = await refresh("sluice-web", tokens.refresh_token);
    expect((await post(at("revoke"), { ...secretOf("sluice-web"), token: tokens.refresh_token })).status).toBe(200);
    expect((await refresh("sluice-web", next.body.refresh_token)).status).toBe(400);
  });

  it("says what is wrong with the client", async () => {
    const { tokens } = await signIn("uma");
    const fields = { grant_type: "refresh_token", refresh_token: tokens.refresh_token };
    expect(await post(at("token"), { ...fields, client_id: "sluice-web", client_secret: "wrong" })).toMatchObject({ status: 401, body: { error: "unauthorized_client" } });
    expect(await post(at("token"), { ...fields, client_id: "nobody", client_secret: "x" })).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect(await token("sluice-machine", fields)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const basic = `Basic ${Buffer.from("sluice-web:sluice-web-secret").toString("base64")}`;
    expect((await post(at("token"), fields, { authorization: basic })).status).toBe(200);
  });
});

describe("acting while the person is away", () => {
  it("asks for consent once, shares the sid, and outlives the browser's session", async () => {
    await control({ revokeGrant: "uma" });
    const web = await signIn("uma");
    const machine = await signIn("uma", { client: "sluice-machine", browser: web.browser, more: offline });
    expect(machine.seen).toEqual(["Grant Access to Sluice machine access"]);
    expect(machine.tokens.scope).toBe("openid email profile offline_access");
    expect(decodeJwt(machine.tokens.refresh_token)).toMatchObject({ typ: "Offline", sid: decodeJwt(web.tokens.access_token).sid });
    expect(machine.tokens.refresh_expires_in).toBe(2_592_000);
    expect(decodeJwt(machine.tokens.access_token)).toMatchObject({ azp: "sluice-machine", roles: ["offline_access", "user"] });

    const renewed = await signIn("uma", { client: "sluice-machine", browser: web.browser, more: { ...offline, prompt: "none" } });
    expect(renewed.status).toBe(200);
    const out = `${at("logout")}?${new URLSearchParams({ id_token_hint: web.tokens.id_token, post_logout_redirect_uri: `${sluiceUrl}/bye` })}`;
    expect((await fetch(out, { redirect: "manual" })).headers.get("location")).toBe(`${sluiceUrl}/bye`);
    expect((await refresh("sluice-web", web.tokens.refresh_token)).body.error_description).toBe("Session not active");
    const alive = await refresh("sluice-machine", machine.tokens.refresh_token);
    expect(alive.status).toBe(200);
    expect((await exchange("sluice-machine", String(alive.body.access_token), "flowise")).status).toBe(200);
    expect((await signIn("uma", { browser: web.browser })).seen).toEqual(["Sign in to your account"]);
  });

  it("comes back with access_denied when the person says no", async () => {
    await control({ revokeGrant: "vic" });
    const { browser } = await signIn("vic");
    const page = await browser.open(authUrl("sluice-machine", newVerifier().challenge, offline));
    const form = formOf(page.html, page.url);
    const back = await browser.open(form.action, { ...form.hidden, cancel: "No" });
    expect(new URL(back.url).searchParams.get("error")).toBe("access_denied");
  });

  it("is taken back on the account page, or by a test", async () => {
    const { browser } = await signIn("gus");
    const machine = await signIn("gus", { client: "sluice-machine", browser, more: offline });
    const account = await browser.open(`${identity.issuer}/account`);
    expect(account.html).toContain("Sluice machine access");
    const { action, hidden } = formOf(account.html, account.url);
    expect((await browser.request(action, { ...hidden, token: "forged" })).status).toBe(403);
    expect((await browser.open(action, hidden)).html).toContain("No application has offline access.");
    expect((await refresh("sluice-machine", machine.tokens.refresh_token)).body).toEqual({ error: "invalid_grant", error_description: "Offline user session not found" });

    const direct = (await byPassword("gus", offline)).body;
    await control({ revokeGrant: "gus" });
    expect((await refresh("sluice-direct", direct.refresh_token)).body.error_description).toBe("Offline user session not found");
  });

  it("is refused to the web client", async () => {
    expect((await signIn("uma", { more: offline })).query.get("error")).toBe("invalid_scope");
  });
});

describe("other grants", () => {
  it("exchanges for one engine, with the same person and session", async () => {
    const { tokens } = await signIn("ada");
    const { sub, sid } = decodeJwt(tokens.access_token);
    const { body } = await exchange("sluice-web", tokens.access_token, "nflow");
    expect(decodeJwt(String(body.access_token))).toMatchObject({ aud: "nflow", azp: "sluice-web", sub, sid, roles: ["admin"] });
    expect(body.refresh_token).toBeUndefined();
    expect(body.issued_token_type).toBe("urn:ietf:params:oauth:token-type:access_token");
  });

  it("refuses exchanges as Keycloak does", async () => {
    const { tokens } = await signIn("ada");
    const direct = String((await byPassword("ada")).body.access_token);
    expect(await exchange("sluice-web", tokens.access_token, "nowhere")).toMatchObject({ status: 400, body: { error: "invalid_client" } });
    expect(await exchange("sluice-web", tokens.access_token, "sluice-direct")).toMatchObject({ status: 400, body: { error: "invalid_request" } });
    expect(await exchange("sluice-web", direct, "nflow")).toMatchObject({ status: 403, body: { error: "access_denied" } });
    expect(await exchange("sluice-web", tokens.refresh_token, "nflow")).toMatchObject({ status: 400 });
    await post(at("logout"), { ...secretOf("sluice-web"), refresh_token: tokens.refresh_token });
    expect(await exchange("sluice-web", tokens.access_token, "nflow")).toMatchObject({ status: 400, body: { error: "invalid_request", error_description: "Invalid token" } });
  });

  it("signs in by password at the client made for it, and nowhere else", async () => {
    const good = await byPassword("uma", offline);
    expect(decodeJwt(String(good.body.access_token))).toMatchObject({ azp: "sluice-direct", preferred_username: "uma", email: "uma@acme.test" });
    expect(good.body.id_token).toBeTypeOf("string");
    const other = await byPassword("uma", offline);
    expect(decodeJwt(String(other.body.access_token)).sid).not.toBe(decodeJwt(String(good.body.access_token)).sid);
    expect(await byPassword("uma", { password: "wrong" })).toMatchObject({ status: 400, body: { error: "invalid_grant", error_description: "Invalid user credentials" } });
    expect(await token("sluice-machine", { grant_type: "password", username: "uma", password })).toMatchObject({ status: 400, body: { error: "unauthorized_client" } });
    expect(await token("sluice-web", { grant_type: "password", username: "uma", password })).toMatchObject({ status: 400, body: { error: "unauthorized_client" } });
  });

  it("lets the service account read people, and nobody else", async () => {
    const service = (await token("sluice-sync", { grant_type: "client_credentials" })).body;
    expect(service.refresh_token).toBeUndefined();
    const get = async (path: string, bearer?: unknown) => {
      const response = await fetch(`${identity.origin}/admin/realms/sluice${path}`, { headers: bearer ? { authorization: `Bearer ${String(bearer)}` } : {} });
      return { status: response.status, body: (await response.json()) as Record<string, unknown>[] };
    };
    const users = await get("/users?first=1&max=2&briefRepresentation=true", service.access_token);
    expect(users.body.map((one) => one.username)).toEqual(["dis", "gus"]);
    await control({ disableUser: "dis", deleteUser: "gus" });
    const disabled = await get("/users?enabled=false", service.access_token);
    expect(disabled.body.map((one) => one.username)).toEqual(["dis"]);
    expect((await get(`/users/${String(users.body[1]?.id)}`, service.access_token)).status).toBe(404);
    expect((await get("/roles/admin/users", service.access_token)).body.map((one) => one.username)).toEqual(["ada"]);
    expect((await get("/users")).status).toBe(401);
    expect((await get("/users", (await byPassword("ada")).body.access_token)).status).toBe(403);
  });
});

describe("what a test can do", () => {
  it("disables and enables: old tokens work again", async () => {
    const { tokens, browser } = await signIn("dis");
    await control({ disableUser: "dis" });
    expect((await refresh("sluice-web", tokens.refresh_token)).body).toEqual({ error: "invalid_grant", error_description: "User disabled" });
    expect((await exchange("sluice-web", tokens.access_token, "nflow")).body.error_description).toBe("Invalid token");
    expect((await post(at("token/introspect"), { ...secretOf("sluice-web"), token: tokens.access_token })).body).toEqual({ active: false });
    expect((await fetch(at("userinfo"), { headers: { authorization: `Bearer ${tokens.access_token}` } })).status).toBe(401);
    const page = await browser.open(authUrl("sluice-web", newVerifier().challenge));
    const refused = await browser.open(formOf(page.html, page.url).action, { username: "dis", password });
    expect(refused.html).toContain("Account is disabled, contact your administrator.");
    expect((await byPassword("dis")).body.error_description).toBe("Account disabled");
    await control({ enableUser: "dis" });
    expect((await refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
    expect((await fetch(at("userinfo"), { headers: { authorization: `Bearer ${tokens.access_token}` } })).status).toBe(200);
  });

  it("deletes, and reset brings the same person back", async () => {
    const { tokens } = await signIn("dis");
    const direct = (await byPassword("dis", offline)).body;
    await control({ deleteUser: "dis" });
    expect((await refresh("sluice-web", tokens.refresh_token)).body.error_description).toBe("Session not active");
    expect((await refresh("sluice-direct", direct.refresh_token)).body.error_description).toBe("Offline user session not found");
    expect((await byPassword("dis")).body.error_description).toBe("Invalid user credentials");
    await control({ reset: true });
    expect(decodeJwt((await signIn("dis")).tokens.access_token).sub).toBe(decodeJwt(tokens.access_token).sub);
  });

  it("changes roles, seen at the next refresh", async () => {
    const { tokens } = await signIn("uma");
    expect(await control({ setRoles: { uma: ["viewer"] }, accessTokenTtl: 5 })).toBe(200);
    const { body } = await refresh("sluice-web", tokens.refresh_token);
    expect(decodeJwt(String(body.access_token)).roles).toEqual(["viewer"]);
    expect(decodeJwt(String(body.id_token)).roles).toEqual(["viewer"]);
    expect(body.expires_in).toBe(5);
  });

  it("delays and breaks the token endpoint", async () => {
    await control({ tokenDelayMs: 300, tokenStatus: 503 });
    const start = Date.now();
    expect((await byPassword("uma")).status).toBe(503);
    expect(Date.now() - start).toBeGreaterThanOrEqual(295);
    await control({ reset: true, tokenError: "invalid_client" });
    expect(await byPassword("uma")).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    await control({ reset: true });
    expect((await byPassword("uma")).status).toBe(200);
  });

  it("refuses what it does not know, and then does nothing", async () => {
    expect(await control({ disableUser: "uma", nonsense: 1 })).toBe(400);
    expect(await control({ disableUser: "uma", enableUser: "nobody" })).toBe(400);
    expect((await byPassword("uma")).status).toBe(200);
  });

  it("shows token calls without their secrets", async () => {
    await fetch(`${identity.origin}/__calls`, { method: "DELETE" });
    const { tokens } = await signIn("uma");
    await exchange("sluice-web", tokens.access_token, "nflow");
    await byPassword("uma");
    const text = await (await fetch(`${identity.origin}/__calls`)).text();
    const calls = JSON.parse(text) as { method: string; path: string; body: Record<string, string> }[];
    expect(calls.map(({ body }) => body.grant_type)).toEqual(["authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange", "password"]);
    expect(calls[1]?.body).toMatchObject({ client_id: "sluice-web", audience: "nflow", subject_token: "***" });
    expect(text).not.toMatch(new RegExp(`eyJ|${password}|-secret"`));
  });

  it("signs out by page when nobody says who, and refuses foreign addresses", async () => {
    const { browser, tokens } = await signIn("uma");
    const page = await browser.open(at("logout"));
    expect(page.html).toContain('id="kc-logout"');
    const form = formOf(page.html, page.url);
    await browser.open(form.action, { ...form.hidden, confirmLogout: "Logout" });
    expect((await refresh("sluice-web", tokens.refresh_token)).body.error_description).toBe("Session not active");
    const evil = `${at("logout")}?${new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: "http://localhost:39990/" })}`;
    expect((await fetch(evil, { redirect: "manual" })).status).toBe(400);
  });
});

describe("discovery and restart", () => {
  it("names its endpoints where Keycloak has them", async () => {
    const found = (await (await fetch(`${identity.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
    expect(found).toMatchObject({
      issuer: identity.issuer, authorization_endpoint: at("auth"), token_endpoint: at("token"), jwks_uri: at("certs"), userinfo_endpoint: at("userinfo"),
      end_session_endpoint: at("logout"), revocation_endpoint: at("revoke"), introspection_endpoint: at("token/introspect"),
    });
  });

  it("keeps keys, port, sessions and consents over a restart, in a file nobody else can read", async () => {
    const { tokens, browser } = await signIn("ada");
    const machine = await signIn("ada", { client: "sluice-machine", browser, more: offline });
    const { issuer } = identity;
    await identity.close();
    // The test's own HTTP client has to notice that its connections are gone.
    await new Promise((done) => setTimeout(done, 50));
    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(stateFile, "utf8")).not.toContain(password);
    identity = await startIdentity({ stateFile, sluiceUrl, demoPassword: password });
    expect(identity.issuer).toBe(issuer);
    await jwtVerify(tokens.access_token, createRemoteJWKSet(new URL(at("certs"))));
    expect((await refresh("sluice-web", tokens.refresh_token)).status).toBe(200);
    expect((await refresh("sluice-machine", machine.tokens.refresh_token)).status).toBe(200);
    const silent = await signIn("ada", { client: "sluice-machine", browser, more: offline });
    expect(silent.seen).toEqual([]);
  });
});
