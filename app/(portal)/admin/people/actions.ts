"use server";

import { z } from "zod";
import { action } from "@/lib/entry/action";
import { revokeAnyKey } from "@/lib/keys";
import { revokePerson, syncPeople, updatePerson } from "@/lib/people";
import { RevokePersonInput, UpdatePersonInput } from "@/lib/people/schemas";

const revalidate = "/admin/people";
const Id = z.strictObject({ id: z.uuid() });

export const syncPeopleAction = action(z.strictObject({}), (ctx) => syncPeople(ctx), { name: "syncPeople", revalidate, fresh: true });
export const revokePersonAction = action(Id.extend(RevokePersonInput.shape), (ctx, { id, ...input }) => revokePerson(ctx, id, input), { name: "revokePerson", revalidate, fresh: true });
export const updatePersonAction = action(Id.extend(UpdatePersonInput.shape), (ctx, { id, ...input }) => updatePerson(ctx, id, input), { name: "updatePerson", revalidate, fresh: true });
export const revokePersonKeyAction = action(Id, (ctx, { id }) => revokeAnyKey(ctx, id, { cascade: true }), { name: "revokePersonKey", revalidate, fresh: true });
