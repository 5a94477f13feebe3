import { z } from "zod";
import type { SessionHandle } from "@/lib/access";
import { seal, sha256Base64url, unseal, UnsealError } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { sealingRing } from "@/lib/platform/key-rings";

/** The engines to which a session's token can be narrowed; each has its own derived token. */
export type Audience = "nflow" | "flowise";
export const audiences: Audience[] = ["nflow", "flowise"];

/**
 * The readable half of a session (`sl:s:{H}:m`). `created`, `last_seen`, `abs_exp`, `at_exp` and the like are
 * milliseconds of our clock; `auth_time` and `login_iat` are seconds of Keycloak's, to be compared with its marks only.
 */
export const SessionMeta = z.object({
  iss: z.string(), sub: z.string(), uid: z.string(), kc_sid: z.string(), org: z.string(),
  login_iat: z.coerce.number(), auth_time: z.coerce.number(), acr: z.string(), amr: z.string(),
  created: z.coerce.number(), last_seen: z.coerce.number(), abs_exp: z.coerce.number(), idle_s: z.coerce.number(),
  /** Which key of the ring seals the tokens, so that it can be counted when a key may go; "" in records of earlier versions, like the next three. */
  kid: z.string().default(""),
  /** Hash of the cookie's share: tells a blob that somebody changed from a caller who does not hold the cookie. */
  share_h: z.string().default(""),
  /** Where it was signed in, sealed by the server's ring alone: listing has no cookie. */
  device: z.string().default(""),
  /** When Keycloak's refresh token ends (ms), and with it the session, as far as Keycloak said; 0 when it did not. */
  kc_exp: z.coerce.number().default(0),
  gen: z.coerce.number(), at_exp: z.coerce.number(), refreshed_at: z.coerce.number(),
  state: z.enum(["active", "dead"]), dead_reason: z.string().default(""), inflight: z.string().default(""), backoff_until: z.coerce.number().default(0),
});
export type SessionMeta = z.infer<typeof SessionMeta>;

/** The sealed half (`:t`). `lifeS` is the access token's whole life in seconds, which bounds how early it is renewed. */
export const SessionTokens = z.object({
  at: z.string(), atExp: z.number(), lifeS: z.number(), rt: z.string(), rtExp: z.number().nullable(), scope: z.string().nullable(),
});
export type SessionTokens = z.infer<typeof SessionTokens>;

/** A token narrowed to one engine (`:t:<audience>`). */
export const DerivedToken = z.object({ at: z.string(), atExp: z.number(), lifeS: z.number() });
export type DerivedToken = z.infer<typeof DerivedToken>;

/** Bound to session, kind, generation and person: a blob moved anywhere else, or rolled back, does not open. */
function boundTo(handle: SessionHandle, kind: string, generation: number, sub: string) {
  return { salt: handle.share, info: `sluice/session/1|${handle.sessionId}`, aad: `1|${handle.sessionId}|${kind}|${generation}|${sub}` };
}

export function sealFor(handle: SessionHandle, kind: "t" | `t:${Audience}`, generation: number, sub: string, value: SessionTokens | DerivedToken): string {
  return seal(sealingRing("SESSION_KEKS"), JSON.stringify(value), boundTo(handle, kind, generation, sub));
}

/** The key id that a blob names. */
export const kidOf = (blob: string): string => blob.split(".")[1] ?? "";

export const shareHash = (share: string): string => sha256Base64url(`sluice/share/1|${share}`);

/** @returns null for a blob that does not belong here, or whose key is gone from the ring. */
export function openFor<S extends z.ZodType>(handle: SessionHandle, kind: "t" | `t:${Audience}`, meta: SessionMeta, blob: string, schema: S): z.output<S> | null {
  try {
    return schema.parse(JSON.parse(unseal(env().SESSION_KEKS, blob, boundTo(handle, kind, meta.gen, meta.sub))));
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}
