import { type Permission, type Person, type RateLimit, missingPermission } from "@/lib/access";
import { type ErrorCode, SluiceError } from "@/lib/platform/errors";
import { tooManyFailures } from "./limit";

/**
 * Who is to be checked: an API key by its secret; a key for which a gateway token stands; a person (session, Keycloak
 * token, gateway token of a sign-in). `permissions` are bits that a token carries at most.
 */
export type Subject =
  | { kind: "secret"; secret: string }
  | { kind: "key"; apiKeyId: string; familyId: string; permissions?: number }
  | { kind: "user"; userId: string; familyId?: string; permissions?: number };

export type CheckOptions = {
  permission?: Permission;
  requestId?: string;
  /** The client's address, under which failed authentications count. */
  ip: string | null;
  /** 0 takes nothing and leaves no usage event. */
  cost?: 0 | 1;
};

/** What a check found. `headers` belong on the answer either way; a refusal's error carries them as well. */
export type Verdict =
  | { ok: true; person: Person; apiKeyId?: string; /** Bits: the key's or token's permissions, cut to what the owner's role allows now. */ permissions: number; rateLimit?: RateLimit; headers: Record<string, string>; degraded: boolean }
  | { ok: false; error: SluiceError; person?: Person; apiKeyId?: string; headers: Record<string, string>; degraded: boolean };

/** The outcomes that the script names. */
export type CheckCode = "ok" | "unknown" | "family" | "revoked" | "expired" | "disabled" | "owner" | "role" | "permission" | "limit" | "address";

const refusals: Record<Exclude<CheckCode, "ok" | "permission" | "limit" | "address">, [ErrorCode, string]> = {
  unknown: ["invalid_credentials", "The credentials are not valid."],
  family: ["invalid_credentials", "This token was revoked."],
  revoked: ["key_revoked", "This API key was revoked."],
  expired: ["key_expired", "This API key has expired."],
  disabled: ["key_disabled", "This API key is disabled."],
  owner: ["owner_disabled", "The owner of these credentials is disabled."],
  role: ["insufficient_permission", "This person has no role here. Ask an administrator for one."],
};

export function refusal(code: Exclude<CheckCode, "ok">, about: { permission?: Permission; retryAfterSeconds: number; headers: Record<string, string> }): SluiceError {
  const { headers, retryAfterSeconds } = about;
  if (code === "address") return tooManyFailures(retryAfterSeconds);
  if (code === "limit") return new SluiceError("rate_limited", `Rate limit exceeded. Retry after ${retryAfterSeconds} seconds.`, { retryAfterSeconds, headers });
  if (code === "permission") {
    const { detail, options } = missingPermission(about.permission ?? "ai:predict");
    return new SluiceError("insufficient_permission", detail, { ...options, headers });
  }
  const [error, detail] = refusals[code];
  return new SluiceError(error, detail, { headers });
}

/** A key that no store needs to be asked about. */
export function malformedKey(): SluiceError {
  return new SluiceError("invalid_credentials", "This is not an API key.");
}
