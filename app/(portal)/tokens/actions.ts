"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { revokeAllFamilies, revokeFamily } from "@/lib/tokens";

// Ending access wants no fresh proof of who is there: whoever sees a stranger in the list must not have to look for their password first.
export const revokeFamilyAction = action(z.strictObject({ id: z.uuid() }), revokeFamily, { name: "revokeFamily", revalidate: "/tokens" });
export const revokeAllFamiliesAction = action(z.strictObject({}), (ctx) => revokeAllFamilies(ctx), { name: "revokeAllFamilies", revalidate: "/tokens" });
