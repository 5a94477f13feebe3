"use server";

import { z } from "zod";
import { adjustTenantCredits } from "@/lib/credits";
import { AdjustCreditsInput } from "@/lib/credits/schemas";
import { action } from "@/lib/entry/action";
import { createTenant, updateTenant } from "@/lib/tenants";
import { CreateTenantInput, UpdateTenantInput } from "@/lib/tenants/schemas";

const revalidate = "/admin/tenants";

export const createTenantAction = action(CreateTenantInput, createTenant, { name: "createTenant", revalidate, fresh: true });
export const updateTenantAction = action(UpdateTenantInput.safeExtend({ id: z.uuid() }), (ctx, { id, ...input }) => updateTenant(ctx, id, input), { name: "updateTenant", revalidate, fresh: true });
export const adjustTenantCreditsAction = action(AdjustCreditsInput.extend({ id: z.uuid() }), (ctx, { id, ...input }) => adjustTenantCredits(ctx, id, input), { name: "adjustTenantCredits", fresh: true });
