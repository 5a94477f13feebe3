import { type Permission, type Person, type RateLimit, missingPermission } from "@/lib/access";
import { type Decision, type ErrorCode, SluiceError } from "@/lib/platform/errors";
import { tooManyFailures } from "./limit";

/**
 * Who is to be checked: an API key by its secret; a key by its id, for which a gateway token may stand; a person (session, Keycloak
 * token, gateway token of a sign-in). `permissions` are bits that a token carries at most.
 */
export type Subject =
  | { kind: "secret"; secret: string }
  | { kind: "key"; apiKeyId: string; familyId?: string; permissions?: number }
  | { kind: "user"; userId: string; familyId?: string; permissions?: number };

export type CheckOptions = {
  permission?: Permission;
  requestId?: string;
  /**
   * The client's address: failed authentications count under it, and the key's address list is asked for it. Null where it is not known, which
   * lies in no list. `any` leaves the list out, for a check on somebody else's behalf (`cost: 0`).
   */
  ip: string | null | "any";
  /** 0 takes nothing from any limit, counts no failure and leaves no usage event. */
  cost?: 0 | 1;
  /** With `cost: 0`: the moment to judge by, in ms. */
  at?: number;
};

/** What a check found. `headers` belong on the answer either way; a refusal's error carries them as well. */
export type Verdict =
  | { ok: true; person: Person; apiKeyId?: string; /** Bits: the key's or token's permissions, cut to what the owner's role allows now. */ permissions: number; rateLimit?: RateLimit; /** Flowise's ids that the key is limited to; null: any. */ chatflowIds?: string[] | null; /** Which of the key's secrets the call came with, counted from 0. */ secretGeneration?: number; /** One that was rotated away, or a token that was obtained with it. */ earlierSecret?: true; headers: Record<string, string>; degraded: boolean }
  | { ok: false; error: SluiceError; person?: Person; apiKeyId?: string; headers: Record<string, string>; degraded: boolean };

/** The outcomes that the script names. */
export type CheckCode = "ok" | "unknown" | "family" | "revoked" | "expired" | "disabled" | "rotated" | "owner" | "role" | "ip" | "permission" | "limit" | "address";
export type RefusalCode = Exclude<CheckCode, "ok">;

/** What a refusal saw, as far as it matters to the check that spoke. */
export type RefusalFacts = {
  permission?: Permission | undefined;
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** The moment by which it was judged, in ms. */
  atMs?: number;
  expiresAtMs?: number;
  overlapEndsAtMs?: number;
  /** `person`, `tenant` or `moved`. */
  ownerState?: string;
  ip?: string | null;
  allowedIps?: string[];
  /** In force for this call. */
  permissions?: string[];
  limit?: { label: string; limit: number; windowSeconds: number };
  /** Only this process's share of the limit was asked. */
  degraded?: boolean;
};

const ownerWords: Record<string, string> = { person: "the owner is switched off", tenant: "the tenant is switched off", moved: "the owner has left the key's tenant" };

const refusals: Record<Exclude<RefusalCode, "permission" | "limit" | "address">, [ErrorCode, string]> = {
  unknown: ["invalid_credentials", "The credentials are not valid."],
  family: ["invalid_credentials", "This token was revoked."],
  revoked: ["key_revoked", "This API key was revoked."],
  expired: ["key_expired", "This API key has expired."],
  disabled: ["key_disabled", "This API key is disabled."],
  rotated: ["key_rotated", "This API key was rotated, and the time in which its earlier secret worked is over."],
  owner: ["owner_disabled", "The owner of these credentials is disabled."],
  role: ["insufficient_permission", "This person has no role here. Ask an administrator for one."],
  ip: ["ip_not_allowed", "This API key may not be used from this address."],
};

const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

const decisions: Record<RefusalCode, (facts: RefusalFacts) => Decision> = {
  unknown: () => ({ check: "known", seen: null, limit: null }),
  family: () => ({ check: "token", seen: "revoked", limit: "alive" }),
  revoked: () => ({ check: "revoked", seen: "revoked", limit: "not revoked" }),
  expired: (facts) => ({ check: "expired", seen: iso(facts.atMs), limit: iso(facts.expiresAtMs) }),
  disabled: () => ({ check: "disabled", seen: "disabled", limit: "enabled" }),
  rotated: (facts) => ({ check: "rotated", seen: iso(facts.atMs), limit: iso(facts.overlapEndsAtMs) }),
  owner: (facts) => ({ check: "owner", seen: ownerWords[facts.ownerState ?? ""] ?? "disabled", limit: "enabled" }),
  role: () => ({ check: "role", seen: null, limit: ["admin", "user", "viewer"] }),
  ip: (facts) => ({ check: "address", seen: facts.ip ?? null, limit: facts.allowedIps ?? [] }),
  permission: (facts) => ({ check: "permission", seen: facts.permissions ?? [], limit: facts.permission ?? null }),
  limit: (facts) => ({ check: "rate_limit", ...usedUp(facts.limit?.label, facts) }),
  address: (facts) => ({ check: "failures", ...usedUp(facts.ip, facts) }),
};

function usedUp(whose: string | null | undefined, { limit, retryAfterSeconds, degraded }: RefusalFacts): Pick<Decision, "seen" | "limit"> {
  return { seen: `${whose}: none left, next in ${retryAfterSeconds} s`, limit: limit ? `${limit.limit} in ${limit.windowSeconds} s${degraded ? ", one process's share while Redis is away" : ""}` : null };
}

/** The error of a refusal, with the decision that explains it. */
export function refusal(code: RefusalCode, facts: RefusalFacts = {}): SluiceError {
  const { headers = {}, retryAfterSeconds = 1 } = facts;
  const decision = decisions[code](facts);
  if (code === "address") return tooManyFailures(retryAfterSeconds, decision);
  if (code === "limit") return new SluiceError("rate_limited", `Rate limit exceeded. Retry after ${retryAfterSeconds} seconds.`, { retryAfterSeconds, headers, decision });
  if (code === "permission") {
    const { detail, options } = missingPermission(facts.permission ?? "ai:predict");
    return new SluiceError("insufficient_permission", detail, { ...options, headers, decision });
  }
  const [error, detail] = refusals[code];
  return new SluiceError(error, detail, { headers, decision });
}

/** A key that no store needs to be asked about. */
export function malformedKey(): SluiceError {
  return new SluiceError("invalid_credentials", "This is not an API key.");
}
