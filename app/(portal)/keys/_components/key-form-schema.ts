import { z } from "zod";
import type { Permission } from "@/lib/access/permissions";
import { AllowedIps, type ApiKeyView, CreateKeyInput, type UpdateKeyInput } from "@/lib/keys/schemas";
import { addressText, linesOf } from "./address-lines";

/** What creation answers, this once. */
export type CreatedKey = { key: ApiKeyView; secret: string; message?: string };

/** What the owner may choose from. */
export type KeyChoices = {
  permissions: readonly Permission[];
  /** Assigned to the owner; null where they could not be read. */
  chatflows: readonly { id: string; name: string }[] | null;
  /** Days that a key may live at most, if that is limited. */
  lifetimeDays: number | null;
  /** Where this page was asked from; null where it is not known. */
  ownAddress: string | null;
};

const daySeconds = 86_400;
const dayMs = daySeconds * 1000;

export const windowChoices = [
  { value: "60", label: "Minute" },
  { value: "3600", label: "Hour" },
  { value: String(daySeconds), label: "Day" },
  { value: String(30 * daySeconds), label: "30 days" },
] as const;

const expiryDays = [7, 30, 90, 365] as const;
const words: Record<(typeof expiryDays)[number], string> = { 7: "In 7 days", 30: "In 30 days", 90: "In 90 days", 365: "In a year" };

/** The choices that the longest lifetime leaves, which for a key that is changed may be over. `keep` is its present expiry. */
export function expiryChoices(endsAtMost: Date | null, keep?: { label: string }): { value: string; label: string }[] {
  const fits = expiryDays.filter((days) => !endsAtMost || Date.now() + days * dayMs <= endsAtMost.getTime());
  return [
    ...(keep ? [{ value: "keep", label: keep.label }] : []),
    ...fits.map((days) => ({ value: String(days), label: words[days] })),
    ...(endsAtMost && endsAtMost.getTime() > Date.now() ? [{ value: "latest", label: "As late as allowed" }] : []),
    { value: "date", label: "On a date …" },
    ...(endsAtMost ? [] : [{ value: "never", label: "Never" }]),
  ];
}

const faultsShownMax = 5;

/** One a line; each fault names its line, as an editor would. */
const addressLines = z.string().max(8000).superRefine((text, ctx) => {
  const lines = linesOf(text);
  const faults = (AllowedIps.safeParse(lines.map((line) => line.text)).error?.issues ?? []).map(({ path, message }) => {
    const line = lines[Number(path[0])];
    return line ? `Line ${line.number}: “${line.text}” ${message}` : message;
  });
  const rest = faults.length - faultsShownMax;
  if (faults.length > 0) ctx.addIssue({ code: "custom", message: [...faults.slice(0, faultsShownMax), ...(rest > 0 ? [`and ${rest} more`] : [])].join("\n") });
});

/** The form's fields: as the API names them, so that what the server refuses finds its field; texts where people type. */
export const KeyForm = z.object({
  name: CreateKeyInput.shape.name,
  description: z.string().max(500),
  permissions: z.array(z.string()).min(1, "choose at least one permission"),
  rateLimit: z.object({
    requests: z.string().trim().regex(/^\d{1,7}$/, "must be a whole number").transform(Number).pipe(z.number().min(1, "must be at least 1").max(1_000_000, "must be at most 1,000,000")),
    window: z.string(),
  }),
  expiresAt: z.string(),
  /** A day of the reader's own calendar; asked only where `expiresAt` is "date". */
  expiresOn: z.string(),
  /** Null: any that is assigned. */
  chatflowIds: z.array(z.string()).min(1, "choose at least one chatflow, or allow any").max(100, "at most 100").nullable(),
  allowedIps: addressLines,
}).refine((form) => form.expiresAt !== "date" || !Number.isNaN(endOfDay(form.expiresOn).getTime()), { path: ["expiresOn"], error: "choose a day" })
  .refine((form) => form.expiresAt !== "date" || !(endOfDay(form.expiresOn).getTime() <= Date.now()), { path: ["expiresOn"], error: "must lie in the future" });
export type KeyFormValues = z.input<typeof KeyForm>;
export type ParsedKeyForm = z.output<typeof KeyForm>;

/** Until the day is over where the reader is. */
const endOfDay = (day: string) => new Date(`${day}T23:59:59.999`);

/** Undefined: as it is. Dates as text: that is how they reach the server. */
function expiryOf(form: ParsedKeyForm, endsAtMost: Date | null): string | null | undefined {
  if (form.expiresAt === "keep") return undefined;
  if (form.expiresAt === "never") return null;
  if (form.expiresAt === "latest") return endsAtMost?.toISOString() ?? null;
  const end = form.expiresAt === "date" ? endOfDay(form.expiresOn) : new Date(Date.now() + Number(form.expiresAt) * dayMs);
  // The last day that is allowed ends a little too late; a later day is the server's to refuse.
  return (endsAtMost && end > endsAtMost && end.getTime() - endsAtMost.getTime() < dayMs ? endsAtMost : end).toISOString();
}

const addressesOf = (form: ParsedKeyForm) => linesOf(form.allowedIps).map((line) => line.text);

/** As the action takes it. */
export function toCreateInput(form: ParsedKeyForm, lifetimeDays: number | null): z.input<typeof CreateKeyInput> {
  const days = Number(form.expiresAt);
  const seconds = form.expiresAt === "latest" && lifetimeDays ? lifetimeDays * daySeconds : days * daySeconds;
  const allowedIps = addressesOf(form);
  return {
    name: form.name,
    permissions: form.permissions,
    rateLimit: { requests: form.rateLimit.requests, window: Number(form.rateLimit.window) },
    ...(form.description.trim() && { description: form.description.trim() }),
    // Counted by the server's clock where it can be: the browser's may go wrong.
    ...(Number.isFinite(seconds) ? { expiresIn: seconds } : { expiresAt: expiryOf(form, lifetimeDays ? new Date(Date.now() + lifetimeDays * dayMs) : null) }),
    ...(form.chatflowIds && { chatflowIds: form.chatflowIds }),
    ...(allowedIps.length > 0 && { allowedIps }),
  };
}

/** The server's words about an input at the fields of the form, where one asks for both kinds of end. */
export function atFormFields<P extends { errors?: { pointer: string; detail: string }[] }>(problem: P): P {
  return { ...problem, ...(problem.errors && { errors: problem.errors.map((error) => (error.pointer === "/expiresIn" ? { ...error, pointer: "/expiresAt" } : error)) }) };
}

/** The form as the key stands. */
export function formOf(key: ApiKeyView, held: readonly string[]): KeyFormValues {
  return {
    name: key.name, description: key.description ?? "", permissions: [...held],
    rateLimit: { requests: String(key.rateLimit.requests), window: String(key.rateLimit.window) },
    expiresAt: "keep", expiresOn: "", chatflowIds: key.chatflowIds, allowedIps: key.allowedIps.map(addressText).join("\n"),
  };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Only what differs from the key; null when nothing does. `held` are its permissions, wildcards opened. */
export function toUpdateInput(form: ParsedKeyForm, key: ApiKeyView, held: readonly string[], endsAtMost: Date | null): z.input<typeof UpdateKeyInput> | null {
  const description = form.description.trim() || null;
  const rateLimit = { requests: form.rateLimit.requests, window: Number(form.rateLimit.window) };
  const expiresAt = expiryOf(form, endsAtMost);
  const allowedIps = addressesOf(form);
  const changes = {
    ...(form.name !== key.name && { name: form.name }),
    ...(description !== key.description && { description }),
    ...(!same([...form.permissions].sort(), [...held].sort()) && { permissions: form.permissions }),
    ...(!same(rateLimit, key.rateLimit) && { rateLimit }),
    ...(expiresAt !== undefined && expiresAt !== key.expiresAt && { expiresAt }),
    ...(!same(form.chatflowIds && [...form.chatflowIds].sort(), key.chatflowIds && [...key.chatflowIds].sort()) && { chatflowIds: form.chatflowIds }),
    ...(!same(allowedIps, key.allowedIps.map(addressText)) && { allowedIps }),
  };
  return Object.keys(changes).length > 0 ? changes : null;
}
