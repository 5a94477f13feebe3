"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { createKey, endRotation, revokeKey, revokeKeys, rotateKey, updateKey } from "@/lib/keys";
import { CreateKeyInput, RotateKeyInput, UpdateKeyInput } from "@/lib/keys/schemas";

const id = z.uuid();

export const createKeyAction = action(CreateKeyInput, createKey, { name: "createKey", revalidate: "/keys" });

export const updateKeyAction = action(z.strictObject({ id, changes: UpdateKeyInput }), (ctx, { id, changes }) => updateKey(ctx, id, changes), { name: "updateKey", revalidate: "/keys" });

export const setKeyActiveAction = action(
  z.strictObject({ id, isActive: z.boolean() }),
  (ctx, { id, isActive }) => updateKey(ctx, id, { isActive }),
  { name: "setKeyActive", revalidate: "/keys" },
);

export const rotateKeyAction = action(z.strictObject({ id, rotation: RotateKeyInput }), (ctx, { id, rotation }) => rotateKey(ctx, id, rotation), { name: "rotateKey", revalidate: "/keys" });

export const endRotationAction = action(z.strictObject({ id }), (ctx, { id }) => endRotation(ctx, id), { name: "endRotation", revalidate: "/keys" });

export const revokeKeyAction = action(z.strictObject({ id, cascade: z.boolean().default(false) }), (ctx, { id, cascade }) => revokeKey(ctx, id, { cascade }), { name: "revokeKey", revalidate: "/keys" });

export const revokeKeysAction = action(z.strictObject({ ids: z.array(id).min(1).max(500) }), (ctx, { ids }) => revokeKeys(ctx, ids), { name: "revokeKeys", revalidate: "/keys" });
