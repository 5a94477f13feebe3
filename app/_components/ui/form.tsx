"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { createContext, type ReactNode, useContext, useEffect, useId, useState } from "react";
import { Controller, type ControllerRenderProps, type DefaultValues, type FieldPath, type FieldValues, FormProvider, useForm, useFormContext, type UseFormReturn } from "react-hook-form";
import type { z } from "zod";
import { keepDraft, mustSignIn, refusalText, takeDraft } from "../step-up";
import { cn } from "./cn";
import { useUnsaved } from "./dialog";
import { Label } from "./label";
import { Notice } from "./notice";
import { RequestReference } from "./request-reference";

/** The parts of a problem (RFC 9457) that a form can show. */
export type FormProblem = { title: string; detail: string; code?: string; confirmUrl?: unknown; requestId?: string; errors?: { pointer: string; detail: string }[] };
export type FormOutcome = { ok: true } | { ok: false; problem: FormProblem };

const Failure = createContext<FormProblem | null>(null);

/** A form whose rules are the schema that the server parses with. */
export function useZodForm<I extends FieldValues, O>(schema: z.ZodType<O, I>, defaultValues: DefaultValues<I>): UseFormReturn<I, unknown, O> {
  return useForm<I, unknown, O>({ resolver: zodResolver(schema), defaultValues, mode: "onTouched" });
}

type FormProps<I extends FieldValues, O> = { form: UseFormReturn<I, unknown, O>; onSubmit: (values: O) => Promise<FormOutcome>; className?: string; children: ReactNode };

/**
 * The one form. What the server refuses goes to the field that its pointer names (`/rateLimit/window`), and to the top of
 * the form where no shown field matches. Whoever is sent to Keycloak first finds their input again when the form opens.
 */
export function Form<I extends FieldValues, O>({ form, onSubmit, className, children }: FormProps<I, O>) {
  const [failure, setFailure] = useState<FormProblem | null>(null);

  useUnsaved(form.formState.isDirty);

  useEffect(() => {
    const draft = takeDraft(form.formState.defaultValues);
    if (draft !== null) form.reset(draft as I, { keepDefaultValues: true });
  }, [form]);

  async function submit(values: O) {
    setFailure(null);
    const outcome = await onSubmit(values).catch((): FormOutcome => ({ ok: false, problem: { title: "No answer", detail: "The portal did not answer. Check your connection and try again." } }));
    if (outcome.ok) return;
    const { problem } = outcome;
    if (mustSignIn(problem)) {
      keepDraft(form.formState.defaultValues, form.getValues());
      refusalText(problem);
    }
    const left = (problem.errors ?? []).filter(({ pointer, detail }) => {
      const name = pointer.split("/").slice(1).join(".") as FieldPath<I>;
      if (!name || !(name.split(".")[0] as string in form.getValues())) return true;
      form.setError(name, { type: "server", message: sentence(detail) }, { shouldFocus: true });
      return false;
    });
    if (left.length > 0) setFailure({ ...problem, detail: left.map(({ pointer, detail }) => `${pointer || "The input"} ${detail}`).join(" ") });
    else if (!problem.errors?.length) setFailure(problem);
  }

  return (
    <FormProvider {...form}>
      <Failure value={failure}>
        <form noValidate method="post" className={className} onSubmit={(event) => { event.stopPropagation(); void form.handleSubmit(submit)(event); }}>{children}</form>
      </Failure>
    </FormProvider>
  );
}

/** Where the form says what no field can say. */
export function FormFailure({ className }: { className?: string }) {
  const failure = useContext(Failure);
  if (!failure) return null;
  return (
    <Notice tone="bad" live title={failure.title} className={className}>
      {failure.detail}
      {failure.requestId && <RequestReference requestId={failure.requestId} />}
    </Notice>
  );
}

type FieldAria = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean };
type FieldProps<I extends FieldValues, N extends FieldPath<I>> = {
  name: N;
  label: ReactNode;
  hint?: ReactNode;
  optional?: boolean;
  /** For a control made of several: the label then names the group. */
  isGroup?: boolean;
  className?: string;
  children: (field: ControllerRenderProps<I, N>, aria: FieldAria) => ReactNode;
};

/** Label, hint, control and error of one field, tied together for those who cannot see how they stand. */
export function Field<I extends FieldValues, N extends FieldPath<I> = FieldPath<I>>({ name, label, hint, optional, isGroup = false, className, children }: FieldProps<I, N>) {
  const { control } = useFormContext<I>();
  const id = useId();
  return (
    <Controller control={control} name={name} render={({ field, fieldState }) => {
      const message = firstMessage(fieldState.error);
      const describedBy = [hint && `${id}-hint`, message && `${id}-error`].filter(Boolean).join(" ") || undefined;
      return (
        <div className={cn("space-y-1.5", className)} {...(isGroup && { role: "group", "aria-labelledby": `${id}-label`, "aria-describedby": describedBy })}>
          {isGroup
            ? <p id={`${id}-label`} className="text-sm font-medium">{label}</p>
            : <Label htmlFor={id}>{label}{optional && <span className="ml-1.5 font-normal text-muted">optional</span>}</Label>}
          {children(field, { id, "aria-describedby": describedBy, "aria-invalid": Boolean(message) })}
          {hint && <p id={`${id}-hint`} className="text-[0.8125rem] text-muted">{hint}</p>}
          {message && <p id={`${id}-error`} className="text-[0.8125rem] font-medium wrap-anywhere whitespace-pre-line text-danger-ink">{sentence(message)}</p>}
        </div>
      );
    }} />
  );
}

/** Of a field that is a list, the error may stand at one of its items. */
function firstMessage(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("message" in error && typeof error.message === "string") return error.message;
  return Object.entries(error).filter(([name]) => name !== "ref").map(([, inner]) => firstMessage(inner)).find(Boolean);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
