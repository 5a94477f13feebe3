import { decode } from "@auth/core/jwt";
import { z } from "zod";
import type { SessionHandle } from "@/lib/access";
import { sha256Base64url } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";

/** What the cookie holds for the life of a session: 32 random bytes that name it, 32 that open it. Never tokens or roles. */
export const Envelope = z.object({ h: z.string().regex(/^[\w-]{43}$/), k: z.string().regex(/^[\w-]{43}$/), v: z.literal(1) });
export type Envelope = z.infer<typeof Envelope>;

export function usesHttps(): boolean {
  return env().AUTH_URL.startsWith("https://");
}

/** Plain http is loopback only (the environment sees to that); there browsers and scripts drop `__Host-` and Secure cookies. */
export function sessionCookieName(): string {
  return usesHttps() ? "__Host-sluice.session" : "sluice.session";
}

/** The handle's hash names the record, so that a dump of the store gives nobody a cookie. */
export function handleOf(envelope: Envelope): SessionHandle {
  return { sessionId: sha256Base64url(envelope.h), share: envelope.k };
}

/** One cookie of a `Cookie` header, whole or in Auth.js's numbered chunks; null when there is none. */
export function readCookie(header: string | null, name: string): string | null {
  if (!header) return null;
  const chunks = new Map<number, string>();
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    const key = part.slice(0, at).trim();
    if (at < 1 || !key.startsWith(name)) continue;
    const value = part.slice(at + 1).trim();
    if (key === name) return value;
    const index = /^\.(\d{1,2})$/.exec(key.slice(name.length))?.[1];
    if (index) chunks.set(Number(index), value);
  }
  return chunks.size ? [...chunks].sort(([a], [b]) => a - b).map(([, value]) => value).join("") : null;
}

/** The session that a `Cookie` header names; null without a cookie of ours, also when it was made with another secret. */
export async function readHandle(header: string | null): Promise<SessionHandle | null> {
  const name = sessionCookieName();
  const token = readCookie(header, name);
  if (!token) return null;
  const payload = await decode({ token, secret: env().AUTH_SECRET, salt: name }).catch(() => null);
  const envelope = Envelope.safeParse(payload);
  return envelope.success ? handleOf(envelope.data) : null;
}
