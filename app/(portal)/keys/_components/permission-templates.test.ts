import { describe, expect, it } from "vitest";
import { covers, permissionsOf, roleMask } from "@/lib/access/permissions";
import { templateOf, templatesFor } from "./permission-templates";

describe("templates of permissions", () => {
  it("never give more than their owner holds, for each role, and the largest gives all of it", () => {
    for (const role of ["admin", "user", "viewer"] as const) {
      const offered = permissionsOf(roleMask(role));
      const templates = templatesFor(offered);
      for (const template of templates) expect(covers(roleMask(role), template.permissions), `${role}: ${template.label}`).toBe(true);
      expect(templates.at(-1)?.permissions).toEqual(offered);
    }
  });

  it("a choice is known again as its template, in any order, and one that differs is none", () => {
    const offered = permissionsOf(roleMask("user"));
    for (const { label, permissions } of templatesFor(offered)) expect(templateOf([...permissions].reverse(), offered)).toBe(label);
    expect(templateOf(["ai:predict"], offered)).toBeUndefined();
    expect(templateOf([], offered)).toBeUndefined();
  });

  it("of which nothing can be given are left out", () => {
    expect(templatesFor(["ai:predict"]).map((template) => template.label)).not.toContain("NFlow automation");
  });
});
