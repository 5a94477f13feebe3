"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { createAnyKey, importKeyFile, revokeAnyKey, updateAnyKey } from "@/lib/keys";
import { CreateAnyKeyInput, ImportKeyFileInput } from "@/lib/keys/schemas";

const revalidate = "/admin/keys";
const Id = z.strictObject({ id: z.uuid() });

export const createAnyKeyAction = action(CreateAnyKeyInput, createAnyKey, { name: "createAnyKey", revalidate, fresh: true });
/** Next.js takes a megabyte through an action; longer files are the command's. */
export const importKeyFileAction = action(ImportKeyFileInput, importKeyFile, { name: "importKeyFile", revalidate, fresh: true });
export const setAnyKeyActiveAction = action(Id.extend({ isActive: z.boolean() }), (ctx, { id, isActive }) => updateAnyKey(ctx, id, { isActive }), { name: "setAnyKeyActive", revalidate, fresh: true });
export const revokeAnyKeyAction = action(Id.extend({ cascade: z.boolean() }), (ctx, { id, cascade }) => revokeAnyKey(ctx, id, { cascade }), { name: "revokeAnyKey", revalidate, fresh: true });
