import { describe, expect, it } from "vitest";
import { covers, expandPermissions, isPermissionInput, permissionMask, permissionNames, permissionsOf, type Role, roleMask } from "./permissions";

describe("permissions", () => {
  it("a wildcard counts as everything it covers, and nothing else", () => {
    expect(permissionsOf(permissionMask(["ai:*"]))).toEqual(["ai:predict", "ai:train", "ai:admin"]);
    expect(permissionsOf(permissionMask(["*"]))).toEqual([...permissionNames]);
  });

  it("a family's name inside another's does not count", () => {
    expect(covers(permissionMask(["api-keys:*"]), ["admin:keys"])).toBe(false);
    expect(covers(permissionMask(["ai:predict"]), ["ai:*"])).toBe(false);
  });

  it("the shorthands are stored expanded, and admin is everything", () => {
    expect(expandPermissions(["read"])).toEqual(["api-keys:read", "chatflows:read", "nflow:read", "credits:read", "usage:read", "audit:read"]);
    expect(expandPermissions(["write"])).toEqual(["ai:predict", "ai:train", "api-keys:read", "chatflows:read", "nflow:read", "nflow:write", "credits:read", "usage:read", "audit:read"]);
    expect(expandPermissions(["admin"])).toEqual(["*"]);
  });

  it("unknown names, inherited object members and empty families are no permissions", () => {
    for (const name of ["", "ai", "ai:", "ai:fly", "x:*", ":*", "constructor", "__proto__", "READ"]) expect(isPermissionInput(name), name).toBe(false);
    for (const name of ["read", "*", "nflow:*", "ai:predict"]) expect(isPermissionInput(name), name).toBe(true);
  });

  it("each role holds what the contract says and nothing else, and nobody without one holds anything", () => {
    const viewer = ["ai:predict", "api-keys:read", "chatflows:read", "nflow:read", "credits:read", "usage:read", "audit:read"];
    const user = [...viewer, "ai:train", "api-keys:create", "api-keys:manage", "nflow:write", "webhooks:manage"];
    const admin = [...user, "ai:admin", "admin:users", "admin:chatflows", "admin:keys", "admin:credits", "admin:tenants", "admin:audit", "admin:system"];
    for (const [role, holds] of Object.entries({ viewer, user, admin })) expect(permissionsOf(roleMask(role as Role)).sort(), role).toEqual(holds.sort());
    expect([...permissionNames].sort(), "and there are no others").toEqual(admin.sort());
    expect(roleMask(null)).toBe(0);
  });
});
