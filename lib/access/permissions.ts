/**
 * What a key may do and what a verb asks for, and which roles hold what: one table, asked by the first line of every
 * verb. Pure. Names and shorthands are those of the HTTP contract, section 1.
 */
export const permissionNames = [
  "ai:predict", "ai:train", "ai:admin",
  "api-keys:read", "api-keys:create", "api-keys:manage",
  "chatflows:read", "nflow:read", "nflow:write",
  "credits:read", "usage:read", "audit:read", "webhooks:manage",
  "admin:users", "admin:chatflows", "admin:keys", "admin:credits", "admin:tenants", "admin:audit", "admin:system",
] as const;

export type Permission = (typeof permissionNames)[number];
/** What may be stored: a permission, a family (`ai:*`) or everything (`*`). */
export type PermissionPattern = Permission | `${string}:*` | "*";
export type Role = "admin" | "user" | "viewer";

const families = [...new Set(permissionNames.map((p) => p.slice(0, p.indexOf(":"))))];
const reads = permissionNames.filter((p) => p.endsWith(":read"));

/** `read`, `write` and `admin` are accepted wherever permissions are, and stored expanded. */
export const shorthands: Record<string, readonly PermissionPattern[]> = {
  read: reads,
  write: [...reads, "ai:predict", "ai:train", "nflow:write"],
  admin: ["*"],
};

const viewer: readonly Permission[] = [...reads, "ai:predict"];
const user: readonly Permission[] = [...viewer, "api-keys:create", "api-keys:manage", "ai:train", "nflow:write", "webhooks:manage"];

export const roleHolds: Record<Role, readonly PermissionPattern[]> = { viewer, user, admin: ["*"] };

/** What each means to a person; shown wherever permissions are chosen. */
export const permissionWords: Record<Permission, string> = {
  "ai:predict": "Talk to the chatflows assigned to you",
  "ai:train": "Feed documents to chatflows",
  "ai:admin": "Manage chatflows in Flowise, see how they ran",
  "api-keys:read": "See your API keys",
  "api-keys:create": "Create API keys, never with more than it has itself",
  "api-keys:manage": "Change and revoke your API keys",
  "chatflows:read": "List the chatflows assigned to you",
  "nflow:read": "Read NFlow applications",
  "nflow:write": "Create and change NFlow applications",
  "credits:read": "See your credit balance",
  "usage:read": "See your requests and usage",
  "audit:read": "See what happened to your account",
  "webhooks:manage": "Manage webhooks",
  "admin:users": "Administer people",
  "admin:chatflows": "Administer chatflows and who may use them",
  "admin:keys": "Administer everybody's API keys",
  "admin:credits": "Grant and take back credits",
  "admin:tenants": "Administer tenants and plans",
  "admin:audit": "Read everybody's audit log",
  "admin:system": "See the health of the system",
};

export function isPermissionPattern(value: string): value is PermissionPattern {
  return value === "*" || (permissionNames as readonly string[]).includes(value) || (value.endsWith(":*") && families.includes(value.slice(0, -2)));
}

export function isPermissionInput(value: string): boolean {
  return Object.hasOwn(shorthands, value) || isPermissionPattern(value);
}

/** Shorthands expanded, doubles dropped, in the table's order with wildcards first. Unknown names must be refused before. */
export function expandPermissions(input: readonly string[]): PermissionPattern[] {
  const all = new Set(input.flatMap((p): readonly string[] => (Object.hasOwn(shorthands, p) ? shorthands[p] ?? [] : [p])).filter(isPermissionPattern));
  const wild = [...all].filter((p) => p.endsWith("*")).sort();
  return [...wild, ...permissionNames.filter((p) => all.has(p))];
}

function bit(permission: Permission): number {
  return 1 << permissionNames.indexOf(permission);
}

/** One bit per permission in the table's order (20 of 31 used): what travels to the key check. */
export function permissionMask(patterns: readonly string[]): number {
  let mask = 0;
  for (const name of permissionNames) {
    if (patterns.some((p) => p === "*" || p === name || (p.endsWith(":*") && name.startsWith(p.slice(0, -1))))) mask |= bit(name);
  }
  return mask;
}

/** What administers others, as a mask. */
export const administration = permissionMask(["admin:*"]);

export function permissionBit(permission: Permission): number {
  return bit(permission);
}

export function roleMask(role: Role | null): number {
  return role ? permissionMask(roleHolds[role]) : 0;
}

export function permissionsOf(mask: number): Permission[] {
  return permissionNames.filter((name) => (mask & bit(name)) !== 0);
}

/** Whether everything in `wanted` is covered by `held`. A wildcard counts as everything it covers. */
export function covers(heldMask: number, wanted: readonly string[]): boolean {
  return (permissionMask(wanted) & ~heldMask) === 0;
}
