import { decode, encode } from "@auth/core/jwt";
import { z } from "zod";
import { env } from "@/lib/platform/env";
import { readCookie, usesHttps } from "./cookie";

const userId = z.string().max(64);
const returnTo = z.string().max(1000);

/**
 * What a browser was sent to Keycloak for, beyond signing in. `confirm`: this person is to prove once more who they are. `again`: the
 * sign-in before met the end of its session, and was sent back once. `account`: a page of Keycloak's own about the account.
 */
export const Purpose = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("confirm"), userId, maxAgeSeconds: z.number(), returnTo }),
  z.object({ kind: z.literal("again"), returnTo }),
  z.object({ kind: z.literal("account"), returnTo }),
]);
export type Purpose = z.infer<typeof Purpose>;

const lastsSeconds = 600;

export function purposeCookieName(): string {
  return usesHttps() ? "__Host-sluice.purpose" : "sluice.purpose";
}

/** Sealed under our secret, so that nobody makes one up; what a session may do never depends on it. */
export async function purposeCookie(purpose: Purpose | null): Promise<{ name: string; value: string; httpOnly: true; sameSite: "lax"; path: "/"; secure: boolean; maxAge: number }> {
  const name = purposeCookieName();
  const value = purpose ? await encode({ token: purpose, secret: env().AUTH_SECRET, salt: name, maxAge: lastsSeconds }) : "";
  return { name, value, httpOnly: true, sameSite: "lax", path: "/", secure: usesHttps(), maxAge: purpose ? lastsSeconds : 0 };
}

/** @returns null when there is none, or it is too old. */
export async function readPurpose(cookieHeader: string | null): Promise<Purpose | null> {
  const name = purposeCookieName();
  const token = readCookie(cookieHeader, name);
  if (!token) return null;
  const payload = await decode({ token, secret: env().AUTH_SECRET, salt: name }).catch(() => null);
  return Purpose.safeParse(payload).data ?? null;
}
