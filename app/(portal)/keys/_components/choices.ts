import { type Context, permissionsOf } from "@/lib/access";
import { listMyChatflows } from "@/lib/chatflows";
import { attempt } from "@/lib/entry/portal";
import { getKeyAllowance } from "@/lib/keys";
import type { KeyChoices } from "./key-form-schema";

/** What the forms offer to this person. Where the chatflows cannot be read the rest can still be chosen. */
export async function choicesFor(ctx: Context): Promise<KeyChoices> {
  const [chatflows, allowance] = await Promise.all([attempt(async () => (await listMyChatflows(ctx)).chatflows), attempt(() => getKeyAllowance(ctx))]);
  return {
    permissions: permissionsOf(ctx.permissions),
    chatflows: chatflows.ok ? chatflows.data.map(({ id, name }) => ({ id, name })) : null,
    lifetimeDays: allowance.ok ? allowance.data.lifetimeDays : null,
    ownAddress: ctx.ip,
  };
}
