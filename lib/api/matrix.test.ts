import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Context, type Permission, permissionMask, permissionNames, permissionsOf, type Person, roleHolds, type Role } from "@/lib/access";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { db } from "@/lib/platform/db";
import { isSluiceError } from "@/lib/platform/errors";
import { env, setEnv } from "@/lib/platform/env";
import { createApi } from "./app";
import { openRoutes, openVerbs, verbs } from "./matrix.fixture";

/** The table in `lib/access` in the words of the contract, section 1. */
const roles: (Role | null)[] = ["admin", "user", "viewer", null];
const holds = (role: Role | null, permission: Permission) => role !== null && permissionsOf(permissionMask(roleHolds[role])).includes(permission);

/** What a call with exactly these permissions lacks, as its refusal says it; null when it was let in. */
const lacks = (error: unknown) => (isSluiceError(error, "insufficient_permission") ? (error.options.extra?.permission ?? "a role") : null);

describe("every verb asks for its permission, whoever calls", () => {
  it("each verb that a feature offers has its row, or is open to every person on purpose", async () => {
    const offered = await verbsOfFeatures();
    expect(offered.filter((name) => !(name in verbs) && !openVerbs.has(name))).toEqual([]);
    expect([...Object.keys(verbs), ...openVerbs].filter((name) => !offered.includes(name))).toEqual([]);
  });

  it.each(Object.entries(verbs))("%s: role × permission", async (_name, { permission, run }) => {
    const person = await aPerson();
    for (const role of roles) {
      for (const given of permissionNames) {
        const ctx: Context = { ...contextOf({ ...person, role }), permissions: permissionMask([given]) & (role ? permissionMask(roleHolds[role]) : 0) };
        const refused = await run(ctx).then(() => null, lacks);
        expect(refused, `${role} with ${given}`).toBe(given === permission && holds(role, permission) ? null : permission);
      }
    }
  });
});

describe("every route asks for its permission, whatever key comes", () => {
  const api = createApi();
  const document = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "t", version: "1" } });
  const routes = Object.entries(document.paths ?? {}).flatMap(([path, methods]) => Object.entries(methods as Record<string, { "x-permission"?: Permission; security?: unknown[] }>)
    .filter(([, operation]) => operation.security?.length !== 0)
    .map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path: path.replace(/\{[^}]+\}/g, () => randomUUID()), permission: operation["x-permission"] })));

  beforeAll(() => setEnv({ ...env(), API_KEY_MAX_PER_USER: 100, FLOWISE_URL: "http://127.0.0.1:9", NFLOW_API_URL: "http://127.0.0.1:9/v1" }));

  it("each route names one, or is open to every caller on purpose", () => {
    expect(routes.filter((route) => !route.permission).map((route) => route.name).filter((name) => !openRoutes.has(name))).toEqual([]);
    expect(routes.length).toBeGreaterThan(25);
  });

  it("role × permission × route: everything but the one does not open it, nor does the one where the role lacks it", async () => {
    const needed = [...new Set(routes.flatMap((route) => route.permission ?? []))];
    for (const role of roles) {
      const person = await aPerson({ role: "admin" });
      const keys = new Map<Permission, { only: string; allBut: string }>();
      for (const permission of needed) keys.set(permission, { only: await keyWith(person, [permission]), allBut: await keyWith(person, permissionNames.filter((name) => name !== permission)) });
      // Made by an administrator, who then gets the role.
      await db().user.update({ where: { id: person.userId }, data: { role, version: { increment: 1 } } });
      for (const { name, method, path, permission } of routes) {
        const key = permission && keys.get(permission);
        if (!key) continue;
        for (const secret of holds(role, permission) ? [key.allBut] : [key.allBut, key.only]) {
          const answer = await api.request(path, { method, headers: { "x-api-key": secret } });
          const problem = (await answer.json()) as { code?: string; permission?: string };
          expect([answer.status, problem.code, problem.permission], `${name} as ${role}`).toEqual([403, "insufficient_permission", role ? permission : undefined]);
        }
      }
    }
  }, 120_000);
});

async function keyWith(person: Person, permissions: Permission[]): Promise<string> {
  return (await createKey(contextOf(person), CreateKeyInput.parse({ name: "matrix", permissions, rateLimit: { requests: 1_000_000, window: 60 } }))).secret;
}

/** Functions that take a context, of every feature's own surface. */
async function verbsOfFeatures(): Promise<string[]> {
  const lib = join(import.meta.dirname, "..");
  const features = readdirSync(lib, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !["access", "api", "entry", "jobs", "platform", "generated", "audit", "upstream"].includes(entry.name));
  const found: string[] = [];
  for (const { name } of features) {
    const surface = (await import(`../${name}/index.ts`)) as Record<string, unknown>;
    for (const [verb, value] of Object.entries(surface)) if (typeof value === "function" && /^(async )?function \w+\(ctx\b/.test(value.toString())) found.push(verb);
  }
  return found.sort();
}
