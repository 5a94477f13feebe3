import { randomUUID } from "node:crypto";
import { type Context, type Person, permissionMask, roleMask, type Role, type UserCredential } from "../../lib/access";
import { env } from "../../lib/platform/env";
import { rememberPerson } from "../../lib/tenants";

/** A fresh person, in a tenant of their own unless one is named. */
export async function aPerson(options: { role?: Role | null; tenant?: string; sub?: string; username?: string; email?: string } = {}): Promise<Person> {
  const sub = options.sub ?? randomUUID();
  const state = await rememberPerson({
    issuer: env().KEYCLOAK_ISSUER, sub, username: options.username ?? `p-${sub.slice(0, 8)}`, email: options.email ?? `${sub}@example.test`, emailVerified: true,
    name: "Test Person", role: options.role === undefined ? "user" : options.role, tenant: options.tenant ?? `t-${sub}`,
  });
  return state.person;
}

/** The context in which a door would run a verb for this person. */
export function contextOf(person: Person, options: { permissions?: string[]; credential?: UserCredential; apiKeyId?: string } = {}): Context {
  const held = roleMask(person.role);
  return {
    requestId: randomUUID(), tenantId: person.tenantId, ip: "127.0.0.1", userAgent: "vitest",
    permissions: options.permissions ? permissionMask(options.permissions) & held : held,
    actor: options.apiKeyId
      ? { type: "apiKey", apiKeyId: options.apiKeyId, person, rateLimit: { requests: 1000, window: 3600 } }
      : { type: "user", person, credential: options.credential ?? { kind: "gateway", familyId: randomUUID() } },
  };
}
