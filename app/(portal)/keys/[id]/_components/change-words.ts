import type { z } from "zod";
import { type Permission, permissionWords } from "@/lib/access/permissions";
import type { ApiKeyView, UpdateKeyInput } from "@/lib/keys/schemas";
import { addressText } from "../../_components/address-lines";
import type { KeyChoices } from "../../_components/key-form-schema";
import { limitWords } from "./limit-words";

/** What a change means, a sentence for each part of it. `held` are the key's permissions now, wildcards opened. */
export function changeWords(changes: z.input<typeof UpdateKeyInput>, key: ApiKeyView, held: readonly Permission[], chatflows: KeyChoices["chatflows"]): string[] {
  const { name, description, permissions, rateLimit, expiresAt, chatflowIds, allowedIps } = changes;
  const flowName = (id: string) => chatflows?.find((flow) => flow.id === id)?.name ?? id;
  const word = (permission: string) => permissionWords[permission as Permission] ?? permission;
  return [
    ...(name !== undefined ? [`It is called “${name}” instead of “${key.name}”.`] : []),
    ...(description !== undefined ? [description === null ? "Its description goes." : "It gets another description."] : []),
    ...(permissions ? [
      ...permissions.filter((each) => !(held as readonly string[]).includes(each)).map((each) => `New: it may ${lowerFirst(word(each))}.`),
      ...held.filter((each) => !permissions.includes(each)).map((each) => `Gone: ${lowerFirst(word(each))}.`),
    ] : []),
    ...(rateLimit ? [`${limitWords(rateLimit)} instead of ${limitWords(key.rateLimit)}; its budget starts afresh where the length of time differs.`] : []),
    ...(expiresAt !== undefined ? [`${expiresAt === null ? "It never expires" : `It expires on ${dayOf(expiresAt)}`}, before: ${key.expiresAt ? dayOf(key.expiresAt) : "never"}.`] : []),
    ...(chatflowIds !== undefined ? [chatflowIds === null ? "It may call any chatflow that is assigned to you." : `It may call only ${chatflowIds.map(flowName).join(", ")}.`] : []),
    ...(allowedIps !== undefined ? [allowedIps.length === 0 ? "It may be called from anywhere." : addressWords(allowedIps, key.allowedIps.map(addressText))] : []),
  ];
}

function addressWords(next: readonly string[], before: readonly string[]): string {
  const added = next.filter((each) => !before.includes(each));
  const gone = before.filter((each) => !next.includes(each));
  if (before.length === 0) return `It may be called only from ${next.join(", ")}.`;
  return [added.length > 0 ? `Also from ${added.join(", ")}.` : "", gone.length > 0 ? `No longer from ${gone.join(", ")}.` : ""].filter(Boolean).join(" ") || "Its addresses are the same, in another order.";
}

/** The day that it is for the reader. */
export const dayOf = (iso: string) => new Intl.DateTimeFormat("en", { dateStyle: "long" }).format(new Date(iso));
const lowerFirst = (text: string) => (/^[A-Z][a-z]/.test(text) && !text.startsWith("NFlow") ? text.charAt(0).toLowerCase() + text.slice(1) : text);
