import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import type { Context } from "@/lib/access";
import { db } from "@/lib/platform/db";
import { createPlan, updatePlan, updateTenant } from "@/lib/tenants";
import { CreatePlanInput, UpdatePlanInput, UpdateTenantInput } from "@/lib/tenants/schemas";
import { createKey, revokeKey, updateKey } from ".";
import { CreateKeyInput, UpdateKeyInput } from "./schemas";

const create = (ctx: Context, input: object = {}) => createKey(ctx, CreateKeyInput.parse({ name: "k", ...input }));
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const noRoom = { code: "key_limit_reached" };
const tooLongIn = (field: string) => ({ code: "validation_failed", options: { errors: [{ pointer: `/${field}` }] } });
const tooLong = tooLongIn("expiresAt");

/** Somebody whose tenant has a plan of its own, and an administrator who changes either. */
async function aTenantWithPlan(limits: object) {
  const admin = contextOf(await aPerson({ role: "admin" }));
  const person = await aPerson();
  const plan = await createPlan(admin, CreatePlanInput.parse({ name: `plan ${randomUUID()}`, limits }));
  const changeTenant = (input: object) => updateTenant(admin, person.tenantId, UpdateTenantInput.parse(input));
  await changeTenant({ plan: plan.id });
  return { ctx: contextOf(person), changeTenant, changePlan: (changed: object) => updatePlan(admin, plan.id, UpdatePlanInput.parse({ limits: changed })) };
}

describe("what a plan says of keys", () => {
  it("how many live keys a person may have is refused beyond, with the number that stands there now", async () => {
    const { ctx, changePlan } = await aTenantWithPlan({ keysPerUser: 2 });
    const { key } = await create(ctx);
    await create(ctx);
    await expect(create(ctx)).rejects.toMatchObject({ ...noRoom, options: { decision: { check: "key_limit", seen: 2, limit: 2 } } });
    await changePlan({ keysPerUser: 3 });
    await create(ctx);
    await expect(create(ctx)).rejects.toMatchObject(noRoom);
    await changePlan({ keysPerUser: 2 });
    await revokeKey(ctx, key.id);
    await expect(create(ctx), "a smaller number ends no key, but makes no room either").rejects.toMatchObject(noRoom);
  });

  it("a plan of no keys at all gives none", async () => {
    const { ctx } = await aTenantWithPlan({ keysPerUser: 0 });
    await expect(create(ctx)).rejects.toMatchObject(noRoom);
  });

  it("no key lives longer than it says, not without an expiry either, and not by a later change", async () => {
    const { ctx, changePlan } = await aTenantWithPlan({ keyMaxLifetimeDays: 10 });
    for (const input of [{}, { expiresAt: null }, { expiresAt: inDays(11) }]) await expect(create(ctx, input), JSON.stringify(input)).rejects.toMatchObject(tooLong);
    await expect(create(ctx, { expiresIn: 11 * 86_400 })).rejects.toMatchObject(tooLongIn("expiresIn"));
    const { key } = await create(ctx, { expiresAt: inDays(9) });
    const extend = (expiresAt: string | null) => updateKey(ctx, key.id, UpdateKeyInput.parse({ expiresAt }));
    for (const later of [null, inDays(11)]) await expect(extend(later), String(later)).rejects.toMatchObject(tooLong);
    // It counts from the key's creation, however often it is changed.
    await db().apiKey.update({ where: { id: key.id }, data: { createdAt: new Date(Date.now() - 5 * 86_400_000) } });
    await expect(extend(inDays(6))).rejects.toMatchObject(tooLong);
    expect((await extend(inDays(4))).key.id).toBe(key.id);
    await changePlan({ keyMaxLifetimeDays: 30 });
    const longer = inDays(20);
    expect((await extend(longer)).key.expiresAt).toBe(longer);
  });

  it("the tenant's own word goes before its plan's, for as long as there is one", async () => {
    const { ctx, changeTenant } = await aTenantWithPlan({ keysPerUser: 1, keyMaxLifetimeDays: 10 });
    await changeTenant({ limits: { keysPerUser: 2, keyMaxLifetimeDays: 20 } });
    await create(ctx, { expiresAt: inDays(19) });
    await expect(create(ctx, { expiresAt: inDays(21) })).rejects.toMatchObject(tooLong);
    await create(ctx, { expiresAt: inDays(19) });
    await expect(create(ctx, { expiresAt: inDays(19) })).rejects.toMatchObject(noRoom);
    await changeTenant({ limits: { keysPerUser: 3, keyMaxLifetimeDays: null } });
    await expect(create(ctx, { expiresAt: inDays(19) })).rejects.toMatchObject(tooLong);
    await create(ctx, { expiresAt: inDays(9) });
  });
});
