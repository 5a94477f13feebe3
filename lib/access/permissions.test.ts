import { describe, expect, it } from "vitest";
import { covers, expandPermissions, isPermissionInput, permissionMask, permissionNames, permissionsOf, roleHolds, roleMask } from "./permissions";

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
    expect(expandPermissions(["write"])).toEqual(expect.arrayContaining(["ai:predict", "ai:train", "nflow:write", "nflow:read"]));
    expect(expandPermissions(["admin"])).toEqual(["*"]);
  });

  it("unknown names, inherited object members and empty families are no permissions", () => {
    for (const name of ["", "ai", "ai:", "ai:fly", "x:*", ":*", "constructor", "__proto__", "READ"]) expect(isPermissionInput(name), name).toBe(false);
    for (const name of ["read", "*", "nflow:*", "ai:predict"]) expect(isPermissionInput(name), name).toBe(true);
  });

  it("each role holds what the contract says: a viewer creates and changes nothing, admins all, nobody nothing", () => {
    expect(permissionsOf(roleMask("viewer")).every((p) => p.endsWith(":read") || p === "ai:predict")).toBe(true);
    expect(covers(roleMask("user"), roleHolds.viewer)).toBe(true);
    expect(covers(roleMask("user"), ["api-keys:create", "api-keys:manage", "ai:train", "nflow:write", "webhooks:manage"])).toBe(true);
    expect(permissionsOf(roleMask("user")).some((p) => p.startsWith("admin:") || p === "ai:admin")).toBe(false);
    expect(roleMask("admin")).toBe(permissionMask(["*"]));
    expect(roleMask(null)).toBe(0);
  });
});
