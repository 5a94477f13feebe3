import { z } from "zod";
import { type ApiKeyView, CreateKeyInput } from "@/lib/keys/schemas";

/** What creation answers, this once. */
export type CreatedKey = { key: ApiKeyView; secret: string; message?: string };

const day = 86_400;

export const windowChoices = [
  { value: "60", label: "Minute" },
  { value: "3600", label: "Hour" },
  { value: String(day), label: "Day" },
  { value: String(30 * day), label: "30 days" },
] as const;

export const expiryChoices = [
  { value: String(7 * day), label: "In 7 days" },
  { value: String(30 * day), label: "In 30 days" },
  { value: String(90 * day), label: "In 90 days" },
  { value: String(365 * day), label: "In a year" },
  { value: "never", label: "Never" },
] as const;

/** The form's fields: as the API names them, so that what the server refuses finds its field; texts where people type. */
export const KeyForm = z.object({
  name: CreateKeyInput.shape.name,
  description: z.string().max(500),
  permissions: z.array(z.string()).min(1, "choose at least one permission"),
  rateLimit: z.object({
    requests: z.string().trim().regex(/^\d{1,7}$/, "must be a whole number").transform(Number).pipe(z.number().min(1, "must be at least 1").max(1_000_000, "must be at most 1,000,000")),
    window: z.enum(windowChoices.map((choice) => choice.value)),
  }),
  expiresIn: z.enum(expiryChoices.map((choice) => choice.value)),
});

/** As the action takes it. */
export function toCreateInput(form: z.output<typeof KeyForm>): z.input<typeof CreateKeyInput> {
  return {
    name: form.name,
    permissions: form.permissions,
    rateLimit: { requests: form.rateLimit.requests, window: Number(form.rateLimit.window) },
    ...(form.description.trim() && { description: form.description.trim() }),
    ...(form.expiresIn !== "never" && { expiresIn: Number(form.expiresIn) }),
  };
}
