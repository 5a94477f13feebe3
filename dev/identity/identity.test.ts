import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tokenPartsIn } from "../leaks";
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

/** Through every page up to the code, and on to the tokens. */
async function signIn(username: string, options: { client?: CodeClient; browser?: Browser; more?: Record<string, string> } = {}) {
  const { client = "sluice-web", browser = new Browser(), more } = options;
  const { verifier, challenge } = newVerifier();
  const query = { client_id: client, response_type: "code", scope: "openid", redirect_uri: redirects[client], state: "st", nonce: "no", code_challenge: challenge, code_challenge_method: "S256", ...more };
  let page = await browser.open(`${at("auth")}?${new URLSearchParams(query)}`);
  let pages = 0;
  for (let step = 0; page.html && step < 4; step++) {
    const form = formOf(page.html, page.url);
    const isConsent = page.html.includes("Grant Access");
    pages++;
    page = await browser.open(form.action, isConsent ? { ...form.hidden, accept: "Yes" } : { ...form.hidden, username, password });
  }
  const answer = await token(client, { grant_type: "authorization_code", code: new URL(page.url).searchParams.get("code") ?? "", redirect_uri: redirects[client], code_verifier: verifier });
  return { browser, pages, tokens: answer.body as Answer };
}

const offline = { scope: "openid offline_access" };

// What Keycloak does as well is asked of both, in test/protocol.

describe("the account page", () => {
  it("shows what acts for the person, and ends it", async () => {
    const { browser } = await signIn("gus");
    const machine = await signIn("gus", { client: "sluice-machine", browser, more: offline });
    const account = await browser.open(`${identity.issuer}/account`);
    expect(account.html).toContain("Sluice machine access");
    const { action, hidden } = formOf(account.html, account.url);
    expect((await browser.request(action, { ...hidden, token: "forged" })).status).toBe(403);
    expect((await browser.open(action, hidden)).html).toContain("No application has offline access.");
    expect((await refresh("sluice-machine", machine.tokens.refresh_token)).body).toEqual({ error: "invalid_grant", error_description: "Offline user session not found" });
  });
});

describe("what a test can do", () => {
  it("deletes, and reset brings the same person back", async () => {
    const { tokens } = await signIn("dis");
    await control({ deleteUser: "dis" });
    expect((await byPassword("dis")).body.error_description).toBe("Invalid user credentials");
    await control({ reset: true });
    expect(decodeJwt((await signIn("dis")).tokens.access_token).sub).toBe(decodeJwt(tokens.access_token).sub);
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
    expect(await control({ disableUser: "uma", deleteSession: { sid: "none" } })).toBe(400);
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
    expect(tokenPartsIn(text)).toEqual([]);
    expect(text).not.toMatch(new RegExp(`${password}|-secret"`));
  });
});

describe("a restart", () => {
  it("keeps keys, port, sessions, consents and sign-outs, in a file nobody else can read", async () => {
    const { tokens, browser } = await signIn("ada");
    const machine = await signIn("ada", { client: "sluice-machine", browser, more: offline });
    const signedOut = (await byPassword("vic", offline)).body;
    await new Promise((done) => setTimeout(done, 1100));
    await control({ logoutUser: "vic" });
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
    expect(silent.pages).toBe(0);
    expect((await refresh("sluice-direct", signedOut.refresh_token)).body.error_description).toBe("Stale token");
  });
});
