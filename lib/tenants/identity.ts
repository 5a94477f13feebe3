import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { type Identity, TokenClaims } from "./schemas";

/** Reads who somebody is from the claims of a verified token (access or ID token of the realm). */
export function identityOf(claims: unknown): Identity {
  const parsed = TokenClaims.safeParse(claims);
  if (!parsed.success) throw new SluiceError("invalid_credentials", "The token lacks the claims of a person.", { cause: parsed.error });
  const c = parsed.data;
  const tenants = tenantsOf(c);
  return {
    issuer: c.iss,
    sub: c.sub,
    username: c.preferred_username ?? c.email ?? c.sub,
    email: c.email?.toLowerCase() ?? null,
    emailVerified: c.email_verified ?? false,
    name: c.name ?? null,
    role: roleOf(c),
    tenant: tenants[0] ?? env().DEFAULT_TENANT,
    tenants,
    tenantIsOrganization: !env().TENANT_CLAIM && tenants.length > 0 && textsOf(c.organization).some((path) => slugOf(path) === tenants[0]),
    ...(c.iat !== undefined && { issuedAt: c.iat * 1000 }),
  };
}

/** The highest of ours among the names that the operator gave them, from the realm's roles, or from one client's and those alone. */
export function roleOf(claims: Pick<TokenClaims, "roles" | "realm_access" | "resource_access">): Identity["role"] {
  const { ROLE_CLIENT, ROLE_ADMIN, ROLE_USER, ROLE_VIEWER, DEFAULT_ROLE } = env();
  const held = new Set(ROLE_CLIENT ? claims.resource_access?.[ROLE_CLIENT]?.roles : [...(claims.roles ?? []), ...(claims.realm_access?.roles ?? [])]);
  const ours = [["admin", ROLE_ADMIN], ["user", ROLE_USER], ["viewer", ROLE_VIEWER]] as const;
  return ours.find(([, names]) => names.some((name) => held.has(name)))?.[0] ?? DEFAULT_ROLE ?? null;
}

/** The `organization` claim, then the groups (below `TENANT_GROUP_PREFIX`, if there is one); `TENANT_CLAIM` names another claim, and then that alone counts. */
function tenantsOf(claims: TokenClaims): string[] {
  const { TENANT_CLAIM: named, TENANT_GROUP_PREFIX: prefix } = env();
  const groups = textsOf(claims.groups).map((path) => `/${path.replace(/^\/+/, "")}`);
  const paths = named ? textsOf(claims[named]) : [...textsOf(claims.organization), ...(prefix ? groups.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length)) : groups)];
  return [...new Set(paths.flatMap((path) => slugOf(path) ?? []))];
}

function slugOf(path: string): string | null {
  const slug = path.replace(/^\/+/, "").split("/")[0]?.toLowerCase() ?? "";
  return slug !== "" && slug.length <= 100 && !slug.includes("\u0000") ? slug : null;
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.filter((v): v is string => typeof v === "string");
  return value && typeof value === "object" ? Object.keys(value) : [];
}
