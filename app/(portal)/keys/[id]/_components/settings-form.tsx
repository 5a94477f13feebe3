"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useWatch } from "react-hook-form";
import { toast } from "sonner";
import type { Permission } from "@/lib/access/permissions";
import type { ApiKeyView } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { Form, FormFailure, type FormOutcome, useZodForm } from "@/app/_components/ui/form";
import { updateKeyAction } from "../../actions";
import { KeyFields } from "../../_components/key-fields";
import { formOf, type KeyChoices, KeyForm, type KeyFormValues, toUpdateInput } from "../../_components/key-form-schema";
import { changeWords, dayOf } from "./change-words";

const dayMs = 86_400_000;
const base = "/changes";

type SettingsFormProps = { apiKey: ApiKeyView; held: readonly Permission[]; choices: KeyChoices; onDone: () => void };

/** Changes only what differs, and says beforehand what that is. */
export function SettingsForm({ apiKey, held, choices, onDone }: SettingsFormProps) {
  const router = useRouter();
  const queries = useQueryClient();
  // The key as it was when the form was opened: a refresh behind it must not move what is compared.
  const [key] = useState(apiKey);
  const [endsAtMost] = useState(() => (choices.lifetimeDays === null ? null : new Date(Date.parse(key.createdAt) + choices.lifetimeDays * dayMs)));
  const form = useZodForm(KeyForm, formOf(key, held));
  const changesOf = (values: KeyFormValues) => {
    const parsed = KeyForm.safeParse(values);
    return parsed.success ? toUpdateInput(parsed.data, key, held, endsAtMost) : undefined;
  };
  const changes = changesOf(useWatch({ control: form.control }) as KeyFormValues);
  const words = changes ? changeWords(changes, key, held, choices.chatflows) : [];

  async function save(values: KeyFormValues): Promise<FormOutcome> {
    const wanted = changesOf(values);
    if (!wanted) return { ok: true };
    const result = await updateKeyAction({ id: key.id, changes: wanted });
    if (!result.ok) return { ok: false, problem: { ...result.problem, errors: result.problem.errors?.map((error) => ({ ...error, pointer: error.pointer.startsWith(`${base}/`) ? error.pointer.slice(base.length) : error.pointer })) } };
    toast.success("The key is changed", { description: result.data.message ?? "Every call from now on is judged by it." });
    void queries.invalidateQueries({ queryKey: ["api-keys"] });
    router.refresh();
    onDone();
    return { ok: true };
  }

  return (
    <Form form={form} className="space-y-5" onSubmit={() => save(form.getValues())}>
      <FormFailure />
      <KeyFields autoFocus choices={choices} endsAtMost={endsAtMost} keep={{ label: `As it is (${key.expiresAt ? `${key.status === "expired" ? "expired " : ""}${dayOf(key.expiresAt)}` : "never"})` }} />
      <div role="status" className="rounded-lg border bg-sunken px-4 py-3 text-sm">
        {words.length > 0
          ? <><p className="font-medium">What will change</p><ul className="mt-1.5 list-disc space-y-1 pl-5 wrap-anywhere">{words.map((line) => <li key={line}>{line}</li>)}</ul></>
          : <p className="text-muted">{changes === undefined ? "Something in the form is not right yet." : "Nothing is changed yet."}</p>}
      </div>
      <div className="flex flex-wrap-reverse justify-end gap-2">
        <Button variant="secondary" onClick={onDone}>Cancel</Button>
        <Button type="submit" busy={form.formState.isSubmitting} disabled={changes === null}>Save changes</Button>
      </div>
    </Form>
  );
}
