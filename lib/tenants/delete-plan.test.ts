import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createPlan, deletePlan, getPlan } from ".";
import { CreatePlanInput } from "./schemas";

it("a deleted plan is answered whole, as it last was, and is gone", async () => {
  const admin = contextOf(await aPerson({ role: "admin" }));
  const plan = await createPlan(admin, CreatePlanInput.parse({ name: `plan ${randomUUID()}`, monthlyCredits: 5, limits: { keysPerUser: 2 } }));
  expect(await deletePlan(admin, plan.id)).toEqual(plan);
  await expect(getPlan(admin, plan.id)).rejects.toMatchObject({ code: "not_found" });
});
