import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { type Identity, TokenClaims } from "./schemas";

/** Reads who somebody is from the claims of a verified token (access or ID token of the realm). */
export function identityOf(claims: unknown): Identity {
  const parsed = TokenClaims.safeParse(claims);
  if (!parsed.success) throw new SluiceError("invalid_credentials", "The token lacks the claims of a person.", { cause: parsed.error });
  const c = parsed.data;
  const roles = new Set([...(c.roles ?? []), ...(c.realm_access?.roles ?? [])]);
  const role = (["admin", "user", "viewer"] as const).find((r) => roles.has(r)) ?? env().DEFAULT_ROLE ?? null;
  return {
    issuer: c.iss,
    sub: c.sub,
    username: c.preferred_username ?? c.email ?? c.sub,
    email: c.email?.toLowerCase() ?? null,
    emailVerified: c.email_verified ?? false,
    name: c.name ?? null,
    role,
    tenant: tenantOf(c),
  };
}

/** The `organization` claim, else the first path in `groups`, else the default; `TENANT_CLAIM` names another claim. */
function tenantOf(claims: TokenClaims): string {
  const named = env().TENANT_CLAIM;
  const candidates = named ? [first(claims[named])] : [first(claims.organization), first(claims.groups)];
  const slug = candidates.find(Boolean)?.replace(/^\/+/, "").split("/")[0]?.toLowerCase();
  return slug && slug.length <= 100 ? slug : env().DEFAULT_TENANT;
}

function first(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.find((v): v is string => typeof v === "string" && v !== "");
  if (value && typeof value === "object") return Object.keys(value)[0];
  return undefined;
}
