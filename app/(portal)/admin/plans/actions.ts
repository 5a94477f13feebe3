"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { createPlan, deletePlan, updatePlan } from "@/lib/tenants";
import { CreatePlanInput, UpdatePlanInput } from "@/lib/tenants/schemas";

const revalidate = "/admin/plans";

export const createPlanAction = action(CreatePlanInput, createPlan, { name: "createPlan", revalidate, fresh: true });
export const updatePlanAction = action(UpdatePlanInput.safeExtend({ id: z.uuid() }), (ctx, { id, ...input }) => updatePlan(ctx, id, input), { name: "updatePlan", revalidate, fresh: true });
export const deletePlanAction = action(z.strictObject({ id: z.uuid() }), (ctx, { id }) => deletePlan(ctx, id), { name: "deletePlan", revalidate, fresh: true });
