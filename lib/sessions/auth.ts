import "server-only";
import { cookies } from "next/headers";
import type { NextRequest } from "next/server";
import { redirect } from "next/navigation";
import NextAuth, { customFetch, type NextAuthConfig } from "next-auth";
import Keycloak from "next-auth/providers/keycloak";
import { z } from "zod";
import { now } from "@/lib/platform/clock";
import { addressFromDoor } from "@/lib/platform/client-address";
import { env } from "@/lib/platform/env";
import { isSluiceError } from "@/lib/platform/errors";
import type { TokenSet } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { findPersonState } from "@/lib/tenants";
import { checkCookies, keepAttempt, restoreAttempt } from "./attempts";
import { type Caller, unknownCaller } from "./audit";
import { logAuthError } from "./auth-log";
import { afterKeycloak, noteOutcome, pageOf, redirectTo, wantedPath } from "./auth-outcome";
import { Envelope, handleOf, readHandle, sessionCookieName, usesHttps } from "./cookie";
import { createSessionFor } from "./create-session";
import { findSession } from "./find-session";
import { endSession, replaceSession } from "./end-session";
import { faceOf, fetchFromKeycloak, namingTrouble, noteTrouble, noticingTrouble } from "./keycloak-trouble";
import { type Purpose, readPurpose } from "./purpose";
import { openSession } from "./store";

/** What Auth.js hands over of Keycloak's answer, after it checked state, nonce, PKCE and the ID token's claims. */
const SignedIn = z.object({
  access_token: z.string(), refresh_token: z.string().optional(), id_token: z.string().optional(), scope: z.string().optional(),
  expires_in: z.number(), refresh_expires_in: z.number().optional(),
}).transform((a): TokenSet => ({
  accessToken: a.access_token, expiresAt: now() + a.expires_in * 1000, expiresInSeconds: a.expires_in, refreshToken: a.refresh_token ?? null,
  refreshExpiresAt: a.refresh_expires_in ? now() + a.refresh_expires_in * 1000 : null, idToken: a.id_token ?? null, scope: a.scope ?? null,
}));

/** Auth.js does the protocol, we own the session: its JWT is a constant envelope, see README.md. */
async function config(request: NextRequest | undefined): Promise<NextAuthConfig> {
  const e = env();
  const secure = usesHttps();
  const options = { httpOnly: true, sameSite: "lax", path: "/", secure } as const;
  return {
    secret: e.AUTH_SECRET,
    trustHost: true,
    basePath: "/api/auth",
    useSecureCookies: secure,
    session: { strategy: "jwt", maxAge: e.SESSION_ABSOLUTE_SECONDS },
    cookies: { sessionToken: { name: sessionCookieName(), options } },
    pages: { signIn: "/sign-in", error: "/sign-in" },
    providers: [Keycloak({
      id: "keycloak", issuer: e.KEYCLOAK_ISSUER, clientId: e.KEYCLOAK_CLIENT_ID, clientSecret: e.KEYCLOAK_CLIENT_SECRET,
      [customFetch]: fetchFromKeycloak, checks: ["pkce", "state", "nonce"], authorization: { params: { scope: "openid profile email" } },
    })],
    callbacks: {
      async jwt({ token, account, trigger }) {
        if (trigger === "signIn" && account) {
          const purpose = await readPurpose(request?.headers.get("cookie") ?? null);
          const old = await readHandle(request?.headers.get("cookie") ?? null);
          const { envelope } = await noteOutcome(request, () => createSessionFor(purpose, SignedIn.parse(account), callerOf(request), old?.sessionId));
          // Signing in again replaces the session, so that a handle somebody planted or saw before is worth nothing.
          if (old) await replaceSession(old, callerOf(request));
          return { ...envelope };
        }
        return (await stillThere(token)) ? { ...Envelope.parse(token) } : null;
      },
      async session({ token }) {
        return publicSession(token);
      },
    },
    events: {
      async signOut(message) {
        const envelope = Envelope.safeParse("token" in message ? message.token : null);
        if (envelope.success) await endSession(handleOf(envelope.data), callerOf(request));
      },
    },
    logger: {
      error: (error) => {
        noteTrouble(error);
        logAuthError(error);
      },
      warn: (code) => logger.warn({ code }, "Auth.js"),
      debug: () => undefined,
    },
  };
}

function callerOf(request: NextRequest | undefined): Caller {
  if (!request) return unknownCaller();
  return { ...unknownCaller(), ip: addressFromDoor(request.headers), userAgent: request.headers.get("user-agent")?.slice(0, 400) ?? null };
}

/** A store that is away says nothing of the session, and must not cost the cookie. */
async function stillThere(token: unknown): Promise<boolean> {
  const envelope = Envelope.safeParse(token);
  if (!envelope.success) return false;
  return openSession(handleOf(envelope.data), "meta", { touch: false }).then(() => true, (error: unknown) => !isSluiceError(error, "session_expired"));
}

/** All that `/api/auth/session` tells: no tokens, and `user` always set, since Auth.js would else show the envelope there. */
async function publicSession(token: unknown) {
  const expires = new Date(now() + env().SESSION_ABSOLUTE_SECONDS * 1000).toISOString();
  try {
    const { meta } = await openSession(handleOf(Envelope.parse(token)), "meta", { touch: false });
    const person = (await findPersonState(meta.uid))?.person;
    return { user: { id: meta.uid, name: person?.name ?? person?.username ?? null, email: person?.email ?? null }, expires: new Date(meta.abs_exp).toISOString() };
  } catch {
    return { user: { id: "", name: null, email: null }, expires };
  }
}

const nextAuth = NextAuth(config);

export const { signOut } = nextAuth;

/** Sends the browser to Keycloak, or to our own page when Keycloak is away. @returns the address, where `redirect` is false. */
export async function signIn(provider: "keycloak", options: { redirectTo: string; redirect?: false }, parameters?: Record<string, string>, purpose: Purpose | null = null): Promise<string> {
  const { value, trouble } = await noticingTrouble(() => nextAuth.signIn(provider, { ...options, redirect: false }, parameters));
  const address = trouble ? faceOf(trouble, options.redirectTo) : String(value);
  if (!trouble) await keepOwn(address, purpose);
  if (options.redirect === false) return address;
  redirect(address);
}

/** Moves what Auth.js set for this sign-in to a cookie of its own, on the answer under way. */
async function keepOwn(address: string, purpose: Purpose | null): Promise<void> {
  const jar = await cookies();
  const kept = await keepAttempt(address, (name) => jar.get(name)?.value, jar.getAll().map(({ name }) => name), purpose);
  if (kept.length === 0) return;
  for (const name of checkCookies()) jar.delete(name);
  for (const one of kept) jar.set(one);
}

/** The same for a sign-in that began with a post to Auth.js's own address. */
async function keptByAnswer(request: NextRequest, response: Response): Promise<Response> {
  const set = new Map(response.headers.getSetCookie().map((line): [string, string] => [line.slice(0, line.indexOf("=")), line]));
  const valueOf = (name: string) => {
    const line = set.get(name);
    return line === undefined ? request.cookies.get(name)?.value : decodeURIComponent(line.slice(name.length + 1).split(";")[0] ?? "");
  };
  const address = response.headers.get("location") ?? z.object({ url: z.string() }).safeParse(await response.clone().json().catch(() => null)).data?.url ?? "";
  const kept = await keepAttempt(address, valueOf, request.cookies.getAll().map(({ name }) => name), null);
  if (kept.length === 0) return response;
  const jar = await cookies();
  for (const one of kept) jar.set(one);
  return withoutChecks(response);
}

/** Takes Auth.js's own check cookies out of an answer: the browser never has them, and Next would turn their ending into an empty value. */
function withoutChecks(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.delete("set-cookie");
  for (const line of response.headers.getSetCookie()) if (!checkCookies().includes(line.slice(0, line.indexOf("=")))) headers.append("set-cookie", line);
  return new Response(response.body, { status: response.status, headers });
}

async function answered(request: NextRequest, handle: () => Promise<Response>): Promise<Response> {
  const { value, trouble } = await noticingTrouble(handle);
  return namingTrouble(value, trouble, wantedPath(request));
}

/** Parameters that a page may add to the authorization request; anything else (another scope, another redirect) is refused. */
const allowedParameters = new Set(["prompt", "max_age", "login_hint", "kc_action", "ui_locales"]);

/** Sends a browser to Keycloak for more than a sign-in. @returns the address; the cookies are set on the answer under way. */
export async function startAtKeycloak(purpose: Purpose, parameters: Record<string, string>): Promise<string> {
  return signIn("keycloak", { redirectTo: purpose.returnTo, redirect: false }, parameters, purpose);
}

/** The browser comes back from Keycloak, with the attempt that the state names or with none. */
async function callback(request: NextRequest): Promise<Response> {
  const restored = await restoreAttempt(request);
  if (!restored) return withoutAttempt(request);
  (await cookies()).set(restored.spent);
  const { purpose } = restored;
  const error = request.nextUrl.searchParams.get("error");
  const page = pageOf(wantedPath(restored.request));
  if (error === "access_denied" && (!purpose || purpose.kind === "again")) return toSignIn("AccessDenied", page);
  // Keycloak's word that the person signed in through another tab meanwhile.
  if (error === "temporarily_unavailable" && !purpose) {
    return (await isSignedIn(request)) ? redirectTo(env().AUTH_URL + page) : redirectTo(await startAtKeycloak({ kind: "again", returnTo: page }, {}));
  }
  return answered(restored.request, async () => afterKeycloak(restored.request, withoutChecks(await nextAuth.handlers.GET(restored.request)), startAtKeycloak));
}

/** The back button, a reload, or an answer that is too old: who is signed in goes on, others begin again. Auth.js never sees it. */
async function withoutAttempt(request: NextRequest): Promise<Response> {
  const page = pageOf(wantedPath(request));
  return (await isSignedIn(request)) ? redirectTo(env().AUTH_URL + page) : toSignIn("InvalidCheck", page);
}

const isSignedIn = (request: NextRequest) => findSession(request.headers.get("cookie")).then((session) => session !== null, () => false);
const toSignIn = (error: string, returnTo: string) => redirectTo(`${env().AUTH_URL}/sign-in?${new URLSearchParams({ error, returnTo })}`);

export const handlers = {
  GET: (request: NextRequest): Promise<Response> =>
    request.nextUrl.pathname.endsWith("/callback/keycloak") ? callback(request) : answered(request, () => nextAuth.handlers.GET(request)),
  POST: async (request: NextRequest): Promise<Response> => {
    for (const name of [...request.nextUrl.searchParams.keys()]) {
      if (!allowedParameters.has(name)) return new Response("Unknown parameter.\n", { status: 400, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } });
    }
    return answered(request, async () => keptByAnswer(request, await nextAuth.handlers.POST(request)));
  },
};
