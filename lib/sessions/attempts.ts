import "server-only";
import { decode, encode } from "@auth/core/jwt";
import { NextRequest } from "next/server";
import { z } from "zod";
import { now } from "@/lib/platform/clock";
import { sha256Base64url } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { usesHttps } from "./cookie";
import { Purpose, purposeCookie, purposeCookieName } from "./purpose";

/**
 * Auth.js keeps one state, nonce and PKCE verifier per browser, so a sign-in begun in a second tab would spoil the first. Here each
 * attempt has a cookie of its own, named by its state. On the way back, Auth.js gets the checks of the attempt that the state names.
 */
const Attempt = z.object({ verifier: z.string(), nonce: z.string(), wanted: z.string().max(3000), purpose: Purpose.nullable() });
type Attempt = z.infer<typeof Attempt>;

/** Keycloak's sign-in page lives for 30 minutes, and a second factor or a new password comes after it. */
const lastsSeconds = 3600;
/** What a browser may keep open. Each is some 500 bytes that come with every request. */
export const attemptsMax = 6;

const provider = "keycloak";
const prefix = () => `${usesHttps() ? "__Host-" : ""}sluice.attempt.`;
const authJsName = (name: string) => `${usesHttps() ? "__Secure-" : ""}authjs.${name}`;
const checkNames = () => ({ state: authJsName("state"), nonce: authJsName("nonce"), verifier: authJsName("pkce.code_verifier") });
export const checkCookies = (): string[] => Object.values(checkNames());
export const wantedCookie = (): string => authJsName("callback-url");

export type OwnCookie = { name: string; value: string; httpOnly: true; sameSite: "lax"; path: "/"; secure: boolean; maxAge: number };
const cookie = (name: string, value: string): OwnCookie => ({ name, value, httpOnly: true, sameSite: "lax", path: "/", secure: usesHttps(), maxAge: value ? lastsSeconds : 0 });
const stateHash = (state: string) => sha256Base64url(state).slice(0, 22);
/** The time comes first, so that the oldest can be told without opening any. */
const ageOf = (name: string) => parseInt(name.slice(prefix().length), 36);

async function checkValue(name: string, sealed: string | undefined): Promise<string | null> {
  const payload = sealed ? await decode({ token: sealed, secret: env().AUTH_SECRET, salt: name }).catch(() => null) : null;
  return typeof payload?.value === "string" ? payload.value : null;
}

/**
 * Takes over what Auth.js set for a sign-in that begins.
 *
 * @param address where the browser is sent, with the state in its query.
 * @param valueOf Auth.js's cookies of this moment, by name.
 * @param names the cookies that the browser has.
 * @returns cookies to set: the new attempt, and an end to the oldest ones above the bound. None when nothing was begun.
 */
export async function keepAttempt(address: string, valueOf: (name: string) => string | undefined, names: string[], purpose: Purpose | null): Promise<OwnCookie[]> {
  const state = URL.canParse(address) ? new URL(address).searchParams.get("state") : null;
  const checks = checkNames();
  const [verifier, nonce] = await Promise.all([checkValue(checks.verifier, valueOf(checks.verifier)), checkValue(checks.nonce, valueOf(checks.nonce))]);
  if (!state || !verifier || !nonce) return [];
  const name = `${prefix()}${now().toString(36)}-${stateHash(state)}`;
  const attempt: Attempt = { verifier, nonce, wanted: valueOf(wantedCookie()) ?? "", purpose };
  const value = await encode({ token: attempt, secret: env().AUTH_SECRET, salt: name, maxAge: lastsSeconds });
  const known = names.filter((one) => one.startsWith(prefix())).sort((a, b) => ageOf(a) - ageOf(b));
  return [...known.slice(0, Math.max(0, known.length - attemptsMax + 1)).map((old) => cookie(old, "")), cookie(name, value)];
}

export type Restored = { request: NextRequest; purpose: Purpose | null; spent: OwnCookie };

/**
 * Finds the attempt that a callback belongs to.
 *
 * @returns the request as if that attempt had been the browser's only one, and the cookie that ends it; null when this browser began
 *   no such attempt, or it is over.
 */
export async function restoreAttempt(request: NextRequest): Promise<Restored | null> {
  const state = request.nextUrl.searchParams.get("state");
  const kept = state ? request.cookies.getAll().find(({ name }) => name.startsWith(prefix()) && name.endsWith(`-${stateHash(state)}`)) : undefined;
  if (!state || !kept) return null;
  const payload = await decode({ token: kept.value, secret: env().AUTH_SECRET, salt: kept.name }).catch(() => null);
  const attempt = Attempt.safeParse(payload).data;
  if (!attempt) return null;
  const names = checkNames();
  const seal = (name: string, value: string) => encode({ token: { value, provider }, secret: env().AUTH_SECRET, salt: name, maxAge: lastsSeconds });
  const ours = new Map([
    [names.state, await seal(names.state, state)], [names.nonce, await seal(names.nonce, attempt.nonce)], [names.verifier, await seal(names.verifier, attempt.verifier)],
    [wantedCookie(), encodeURIComponent(attempt.wanted)], [purposeCookieName(), (await purposeCookie(attempt.purpose)).value],
  ]);
  const others = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim()).filter((pair) => pair && !ours.has(pair.split("=")[0] ?? "") && !pair.startsWith(prefix()));
  const headers = new Headers(request.headers);
  headers.set("cookie", [...others, ...[...ours].filter(([, value]) => value).map(([name, value]) => `${name}=${value}`)].join("; "));
  return { request: new NextRequest(request.url, { method: request.method, headers }), purpose: attempt.purpose, spent: cookie(kept.name, "") };
}
