import { afterEach, describe, expect, it } from "vitest";
import { env, parseEnv, setEnv } from "@/lib/platform/env";
import { identityOf } from ".";

const claims = { iss: "https://kc.test/realms/r", sub: "1", preferred_username: "uma" };
const set = (given: Record<string, string>) => setEnv({ ...env(), ...Object.fromEntries(Object.keys(given).map((name) => [name, parseEnv({ ...process.env, ...given })[name as keyof ReturnType<typeof env>]])) });
afterEach(() => setEnv(undefined));

describe("the role", () => {
  const roleOf = (more: object) => identityOf({ ...claims, ...more }).role;

  it("is the highest of ours among the realm's roles, and nobody's without one", () => {
    expect(roleOf({ realm_access: { roles: ["viewer", "admin", "offline_access"] } })).toBe("admin");
    expect(roleOf({ roles: ["user"] })).toBe("user");
    expect(roleOf({ roles: ["administrator", "Admin"] })).toBeNull();
    expect(roleOf({})).toBeNull();
  });

  it("goes by the names that the operator gave", () => {
    set({ ROLE_ADMIN: "portal-admins, root", ROLE_VIEWER: "reader" });
    expect([["root"], ["portal-admins"], ["reader"], ["admin"], ["user"]].map((roles) => roleOf({ roles }))).toEqual(["admin", "admin", "viewer", null, "user"]);
  });

  it("is one client's alone where one is named: a realm's `admin` may mean something else", () => {
    set({ ROLE_CLIENT: "portal" });
    expect(roleOf({ roles: ["admin"], realm_access: { roles: ["admin"] } })).toBeNull();
    expect(roleOf({ resource_access: { portal: { roles: ["user"] }, other: { roles: ["admin"] } } })).toBe("user");
  });
});

describe("the tenant", () => {
  const tenantOf = (more: object) => identityOf({ ...claims, ...more }).tenant;

  it("is the organization, else the first group's first part, else the default", () => {
    expect(tenantOf({ organization: ["Acme"], groups: ["/globex"] })).toBe("acme");
    expect(tenantOf({ organization: { initech: { id: "x" } } })).toBe("initech");
    expect(tenantOf({ groups: ["/globex/sales", "/acme"] })).toBe("globex");
    expect([tenantOf({}), tenantOf({ groups: [] }), tenantOf({ groups: ["/"] }), tenantOf({ groups: ["x".repeat(101)] })]).toEqual(Array(4).fill("default"));
  });

  it("is read only from groups below the prefix where there is one, with or without slashes", () => {
    for (const prefix of ["/tenants/", "tenants"]) {
      set({ TENANT_GROUP_PREFIX: prefix });
      expect(tenantOf({ groups: ["/staff", "/tenants-old/acme", "/tenants/globex/sales"] })).toBe("globex");
      expect([tenantOf({ groups: ["/staff", "/tenants"] }), tenantOf({ groups: ["/tenants/"] })]).toEqual(["default", "default"]);
    }
  });

  it("is read from the operator's claim alone where one is named", () => {
    set({ TENANT_CLAIM: "company" });
    expect(tenantOf({ company: "/Initech", organization: ["acme"], groups: ["/globex"] })).toBe("initech");
    expect(tenantOf({ organization: ["acme"], groups: ["/globex"] })).toBe("default");
  });
});
