import { readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { moveClock, now, resetClock } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import type { Session } from "@/lib/sessions";
import { needsFresh, pageOf, requireFresh } from "./require-fresh";

afterEach(() => resetClock());
const session = (provedAt: number) => ({ provedAt }) as Session;

describe("what wants a recent proof of who is there", () => {
  it("is whatever an administrator changes through the API, and what says so itself", () => {
    expect(needsFresh({ method: "post", path: "/api/admin/tenants" })).toBe(true);
    expect(needsFresh({ method: "DELETE", path: "/api/v1/chatflows/:id", permission: "admin:chatflows" })).toBe(true);
    expect(needsFresh({ method: "delete", path: "/api/v1/grant", fresh: true })).toBe(true);
    expect(needsFresh({ method: "get", path: "/api/admin/tenants", permission: "admin:tenants" })).toBe(false);
    expect(needsFresh({ method: "post", path: "/api/v1/auth/api-keys", permission: "api-keys:create" })).toBe(false);
  });

  it("is every action of the administration's pages", () => {
    const root = "app/(portal)/admin";
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("actions.ts"));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const actions = readFileSync(`${root}/${file}`, "utf8").split(/^export const /m).slice(1);
      for (const text of actions) expect(text, file).toMatch(/= action\([\s\S]*fresh: true/);
    }
  });

  it("is satisfied up to the age that is set, and then says where to go and how to come back", () => {
    const provedAt = now();
    moveClock(env().STEP_UP_MAX_AGE_SECONDS * 1000 - 5000);
    expect(() => requireFresh(session(provedAt), "/admin/plans")).not.toThrow();
    moveClock(10_000);
    expect(() => requireFresh(session(provedAt), "/admin/plans?q=a")).toThrow(expect.objectContaining({
      code: "step_up_required", options: expect.objectContaining({ extra: { confirmUrl: `${env().AUTH_URL}/api/auth/confirm?returnTo=%2Fadmin%2Fplans%3Fq%3Da`, maxAgeSeconds: env().STEP_UP_MAX_AGE_SECONDS } }),
    }));
    expect(() => requireFresh(session(provedAt), "//evil.test")).toThrow(expect.objectContaining({ options: expect.objectContaining({ extra: expect.objectContaining({ confirmUrl: expect.stringMatching(/returnTo=%2Foverview$/) }) }) }));
  });

  it("knows the page from its own address only", () => {
    expect(pageOf(`${env().AUTH_URL}/admin/keys?q=1`)).toBe("/admin/keys?q=1");
    for (const referer of ["https://evil.test/admin", "nonsense", null]) expect(pageOf(referer)).toBeNull();
  });
});
