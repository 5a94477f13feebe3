import { createHash } from "node:crypto";
import { decodeJwt } from "jose";
import { inject, it } from "vitest";
import { Browser } from "../browser";

export { Browser } from "../browser";

export const demo = inject("demo");
export const doors = inject("doors");
/** `describe.each(eachDoor)`: what holds at one door holds at the other. */
export const eachDoor = Object.entries(doors).map(([name, url]) => ({ name, url }));

const realParts = new Set((process.env.SLUICE_REAL ?? "").split(",").filter(Boolean));

/** A test of what only the stand-in does; with the real part it is left out, and the run says so. */
export function withStandIn(part: "keycloak" | "flowise", why: string) {
  return (name: string, run: () => Promise<void>, timeoutMs?: number) => {
    if (!realParts.has(part)) return it(name, run, timeoutMs);
    process.stdout.write(`left out, because the ${part} here is real: "${name}": ${why}\n`);
    it.skip(name, run);
  };
}

type Options = { key?: string; bearer?: string; cookie?: string; headers?: Record<string, string>; body?: unknown; raw?: string | Uint8Array };

/** One call with curl's freedom: any header, any body. `json` is null where the answer is not JSON. */
export async function call(base: string, method: string, path: string, options: Options = {}) {
  const headers: Record<string, string> = { ...options.headers };
  if (options.key) headers["x-api-key"] = options.key;
  if (options.bearer) headers.authorization = `Bearer ${options.bearer}`;
  if (options.cookie) headers.cookie = options.cookie;
  if (options.body !== undefined) headers["content-type"] ??= "application/json";
  const response = await fetch(base + path, { method, headers, redirect: "manual", body: options.raw !== undefined ? (options.raw as BodyInit) : options.body === undefined ? undefined : JSON.stringify(options.body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whom a test created has the same one as everybody. */
export function passwordOf(username: string): string {
  const user = demo.users.find((u) => u.username === username) ?? demo.users[0];
  if (!user) throw new Error("the demo has no people");
  return user.password;
}

export type Tokens = { access_token: string; refresh_token: string; user: { id: string } };

/** A gateway token by password: this also gives the owner grant. */
export async function tokensOf(username: string, base = doors.own): Promise<Tokens> {
  const answer = await call(base, "POST", "/api/v1/chat/authenticate", { body: { username, password: passwordOf(username) } });
  if (answer.status !== 200) throw new Error(`sign-in of ${username}: ${answer.status} ${answer.text}`);
  return answer.json as Tokens;
}

/** A fresh key of this person, with the permissions that are asked for. */
export async function keyOf(username: string, body: Record<string, unknown> = {}): Promise<{ id: string; key: string }> {
  const { access_token } = await tokensOf(username);
  const answer = await call(doors.own, "POST", "/api/v1/auth/api-keys", { bearer: access_token, body: { name: `test ${Date.now()}`, ...body } });
  if (answer.status !== 201) throw new Error(`key for ${username}: ${answer.status} ${answer.text}`);
  return answer.json.data;
}

export async function revoke(username: string, id: string): Promise<void> {
  const { access_token } = await tokensOf(username);
  await call(doors.own, "DELETE", `/api/v1/auth/api-keys/${id}`, { bearer: access_token });
}

export type RecordedCall = { method: string; path: string; headers: Record<string, string>; body: Record<string, string> & { grant_type?: string }; at: string; aborted?: true };

const origin = (url: string) => new URL(url).origin;
export const parts = { identity: origin(demo.issuer), nflow: origin(demo.nflowUrl), flowise: origin(demo.flowiseUrl) };

export async function callsTo(part: keyof typeof parts): Promise<RecordedCall[]> {
  return (await (await fetch(`${parts[part]}/__calls`)).json()) as RecordedCall[];
}

export async function forgetCalls(part: keyof typeof parts): Promise<void> {
  await fetch(`${parts[part]}/__calls`, { method: "DELETE" });
}

/** When an administrator last signed somebody out everywhere, ms. */
let signedOutAt = 0;

export async function control(part: keyof typeof parts, body: object): Promise<void> {
  const answer = await fetch(`${parts[part]}/__control`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`control ${part}: ${answer.status} ${await answer.text()}`);
  if ("logoutUser" in body) signedOutAt = Date.now();
}

const nextSecond = (after: number) => new Promise((done) => setTimeout(done, Math.max(0, Math.floor(after / 1000) * 1000 + 1000 - Date.now())));

export async function resetParts(): Promise<void> {
  await Promise.all((Object.keys(parts) as (keyof typeof parts)[]).map((part) => control(part, { reset: true })));
}

/** Claims of the bearer token that a recorded call carried. */
export function tokenOf(recorded: RecordedCall): { sub?: string; azp?: unknown; aud?: unknown } {
  const token = recorded.headers.authorization?.replace(/^Bearer /, "");
  return token?.startsWith("eyJ") ? decodeJwt(token) : {};
}

/** Presses "sign in", as Auth.js's own route has it. @returns the provider's page, or where it led whoever was known there. */
export async function toKeycloak(browser: Browser) {
  const { csrfToken } = JSON.parse((await browser.go(`${demo.url}/api/auth/csrf`)).text) as { csrfToken: string };
  return browser.go(`${demo.url}/api/auth/signin/keycloak`, { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams({ csrfToken, callbackUrl: `${demo.url}/overview` }) });
}

/**
 * Signs in through the identity provider's pages. Whoever was signed out everywhere in this very
 * second is not let in, or not for long, since nobody can tell which came first: so it is done in the next one.
 */
export async function signIn(username: string, browser = new Browser()): Promise<Browser> {
  await nextSecond(signedOutAt);
  for (let attempt = 0; attempt < 4; attempt++) {
    const page = await toKeycloak(browser);
    if (/name="password"/.test(page.text)) await browser.submit(page, { username, password: passwordOf(username) });
    if (browser.cookies(demo.url).includes("sluice.session=")) break;
    await nextSecond(Date.now());
  }
  return browser;
}

export function sha256(value: string): string {
  return createHash("sha256").update(value).digest("hex");
}
