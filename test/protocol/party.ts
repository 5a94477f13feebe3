import { createRemoteJWKSet, decodeJwt, type JWTPayload } from "jose";
import { expect } from "vitest";
import { Browser, formOf, newVerifier } from "../../dev/identity/browser";
import { password, type ProtocolRealm, sluiceUrl } from "./provider";

/** Where each client that sends browsers takes them back. */
export const redirects = { "sluice-web": `${sluiceUrl}/api/auth/callback/keycloak`, "sluice-machine": `${sluiceUrl}/api/owner-grant/callback` };
export type CodeClient = keyof typeof redirects;

export type Answer = { status: number; body: Record<string, unknown> };
export type Tokens = { access_token: string; refresh_token: string; id_token: string; [field: string]: unknown };
export type SignIn = { client?: CodeClient; browser?: Browser; more?: Record<string, string>; consent?: "Yes" | "No" };

export const offline = { scope: "openid offline_access" };
const tokenType = "urn:ietf:params:oauth:token-type:access_token";
export const secretOf = (client: string) => ({ client_id: client, client_secret: `${client}-secret` });

/** Waits until Keycloak takes two steps for different ones: what happens within one second it may treat as one. */
export async function later(ms = 1200): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; ) await new Promise((done) => setTimeout(done, 20));
}

export function claimsOf(token: unknown): JWTPayload & Record<string, unknown> {
  return decodeJwt(String(token));
}

/** What a page of the provider asks for. */
function questionOf(html: string): "name and password" | "password" | "consent" | "nothing" {
  if (html.includes('name="password"')) return /<input[^>]*name="username"/.test(html) ? "name and password" : "password";
  return html.includes('name="accept"') ? "consent" : "nothing";
}

/** The heading of one of the provider's pages. */
export function headingOf(html: string): string {
  return (/<h1[^>]*id="kc-page-title"[^>]*>([\s\S]*?)<\/h1>/.exec(html)?.[1] ?? "").replace(/<[^>]+>/g, "").replace(/\s+/g, " ").trim();
}

/** What an application can do at the realm, by its public endpoints alone. */
export function partyOf(realm: ProtocolRealm) {
  const at = (path: string) => `${realm.issuer}/protocol/openid-connect/${path}`;

  const post = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> => {
    const response = await fetch(at(path), { method: "POST", headers, body: new URLSearchParams(fields), redirect: "manual" });
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
  const token = (client: string, fields: Record<string, string>) => post("token", { ...secretOf(client), ...fields });

  const authUrl = (client: CodeClient, challenge: string, more: Record<string, string | undefined> = {}): string => {
    const query = { client_id: client, response_type: "code", scope: "openid", redirect_uri: redirects[client], state: "st", nonce: "no", code_challenge: challenge, code_challenge_method: "S256", ...more };
    return `${at("auth")}?${new URLSearchParams(Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined))}`;
  };

  /** Through every page up to the address the browser is sent back to. */
  const authorize = async (username: string, { client = "sluice-web", browser = new Browser(), more, consent = "Yes" }: SignIn = {}) => {
    const { verifier, challenge } = newVerifier();
    let page = await browser.open(authUrl(client, challenge, more));
    const asked: string[] = [];
    for (let step = 0; page.html && step < 4; step++) {
      const { action, hidden } = formOf(page.html, page.url);
      const question = questionOf(page.html);
      asked.push(question);
      const answers = { "name and password": { username, password }, password: { password }, consent: { [consent === "Yes" ? "accept" : "cancel"]: consent }, nothing: {} };
      const fields: Record<string, string> = answers[question];
      page = await browser.open(action, { ...hidden, ...fields });
    }
    const query = new URL(page.url).searchParams;
    const fields: Record<string, string> = { grant_type: "authorization_code", code: query.get("code") ?? "", redirect_uri: redirects[client], code_verifier: verifier };
    return { browser, client, asked, query, fields, landedAt: page.url };
  };

  /** As {@link authorize}, and the code changed for tokens. @throws Error when there is none. */
  const signIn = async (username: string, options: SignIn = {}) => {
    const authorized = await authorize(username, options);
    const { status, body } = await token(authorized.client, authorized.fields);
    if (status !== 200) throw new Error(`${username} has no tokens: ${authorized.landedAt} ${JSON.stringify(body)}`);
    return { ...authorized, tokens: body as Tokens, claims: claimsOf(body.access_token) };
  };

  return {
    at, post, token, authUrl, authorize, signIn,
    keys: createRemoteJWKSet(new URL(at("certs"))),
    refresh: (client: string, refreshToken: unknown) => token(client, { grant_type: "refresh_token", refresh_token: String(refreshToken) }),
    exchange: (client: string, subject: unknown, audience: string, more: Record<string, string> = {}) =>
      token(client, { grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: String(subject), subject_token_type: tokenType, audience, ...more }),
    byPassword: (username: string, fields: Record<string, string> = {}) => token("sluice-direct", { grant_type: "password", username, password, scope: "openid", ...fields }),
    revoke: (client: string, one: unknown, fields: Record<string, string> = {}) => post("revoke", { ...secretOf(client), token: String(one), ...fields }),
    introspect: (client: string, one: unknown) => post("token/introspect", { ...secretOf(client), token: String(one) }),
    userinfo: async (accessToken: unknown): Promise<Answer & { challenge: string | null }> => {
      const response = await fetch(at("userinfo"), { headers: { authorization: `Bearer ${String(accessToken)}` } });
      const text = await response.text();
      return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {}, challenge: response.headers.get("www-authenticate") };
    },
    /** The address that signs the browser's session out. */
    logoutUrl: (fields: Record<string, string>) => `${at("logout")}?${new URLSearchParams(fields)}`,
  };
}

export type Party = ReturnType<typeof partyOf>;

/** For `toMatchObject`: Keycloak tells whole seconds that are left, and the one in which a token was made may have passed. */
export const secondsLeft = (of: number): number => expect.toBeOneOf([of, of - 1]) as number;

/** For `toMatchObject`: an answer that says no. */
export function refusal(status: number, error: string, description?: string): Answer {
  return { status, body: { error, ...(description === undefined ? {} : { error_description: description }) } };
}
