"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { deleteGrant } from "@/lib/grants";

export const removeGrantAction = action(z.strictObject({}), (ctx) => deleteGrant(ctx), { name: "removeGrant", revalidate: "/machine-access", fresh: true });
