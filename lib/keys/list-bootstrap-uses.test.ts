import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { type Context, permissionMask } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { transaction } from "@/lib/platform/db";
import { createAnyKey, createKey, listBootstrapUses } from ".";
import { CreateAnyKeyInput, CreateKeyInput } from "./schemas";

it("an administrator sees each use of the bootstrap token and what was made with it, newest first, and nobody's else", async () => {
  const owner = await aPerson();
  const bootstrap: Context = { requestId: randomUUID(), tenantId: "system", actor: { type: "bootstrap" }, permissions: permissionMask(["admin:tenants"]), ip: "192.0.2.9", userAgent: "curl" };
  const use = { method: "POST", path: "/api/admin/api-keys" };
  await transaction((tx) => recordAudit(tx, bootstrap, { action: "bootstrap.used", data: use }));
  await createAnyKey(bootstrap, CreateAnyKeyInput.parse({ tenant: owner.tenant, user: owner.username, name: "first" }));
  const other = contextOf(owner);
  await createKey(other, CreateKeyInput.parse({ name: "second" }));

  const uses = await listBootstrapUses(contextOf(await aPerson({ role: "admin" })));
  const { requestId, ip, userAgent } = bootstrap;
  expect(uses.filter((one) => one.requestId === requestId)).toEqual([
    { id: expect.any(String), at: expect.any(String), action: "key.created", ip, userAgent, requestId, data: expect.objectContaining({ name: "first", ownerId: owner.userId }) },
    { id: expect.any(String), at: expect.any(String), action: "bootstrap.used", ip, userAgent, requestId, data: use },
  ]);
  expect(uses.map((one) => one.requestId)).not.toContain(other.requestId);
  await expect(listBootstrapUses(other)).rejects.toMatchObject({ code: "insufficient_permission" });
});
