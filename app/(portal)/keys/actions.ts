"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { createKey, revokeKey, updateKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";

export const createKeyAction = action(CreateKeyInput, createKey, { revalidate: "/keys" });

export const setKeyActiveAction = action(
  z.strictObject({ id: z.uuid(), isActive: z.boolean() }),
  (ctx, { id, isActive }) => updateKey(ctx, id, { isActive }),
  { revalidate: "/keys" },
);

export const revokeKeyAction = action(z.strictObject({ id: z.uuid() }), (ctx, { id }) => revokeKey(ctx, id), { revalidate: "/keys" });
