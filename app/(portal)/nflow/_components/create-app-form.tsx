"use client";

import { toast } from "sonner";
import { z } from "zod";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { Textarea } from "@/app/_components/ui/textarea";
import { createAppAction } from "../actions";

const AppForm = z.object({
  displayName: z.string().trim().min(1, "must not be empty").max(200),
  name: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, "must start with a small letter and hold only small letters, digits and _, at most 63"),
  description: z.string().max(1000),
});

/** A proposal for the API name, until somebody types one. */
function nameFrom(displayName: string): string {
  return displayName.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 63);
}

export function CreateAppForm({ onCreated }: { onCreated: () => void }) {
  const form = useZodForm(AppForm, { displayName: "", name: "", description: "" });
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async ({ name, displayName, description }) => {
      const result = await createAppAction({ name, displayName, ...(description.trim() && { description: description.trim() }) });
      if (!result.ok) return result;
      toast.success(`“${displayName}” is created`);
      onCreated();
      return { ok: true };
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <Field name="displayName" label="Display name">
          {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" placeholder="Personal finance" onChange={(event) => {
            field.onChange(event);
            if (!form.getFieldState("name").isDirty) form.setValue("name", nameFrom(event.target.value));
          }} />}
        </Field>
        <Field name="name" label="Name" hint="How programs call it. It cannot be changed later.">
          {(field, aria) => <Input {...field} {...aria} autoComplete="off" spellCheck={false} className="font-mono" placeholder="personal_finance" />}
        </Field>
        <Field name="description" label="Description" optional>
          {(field, aria) => <Textarea {...field} {...aria} rows={3} />}
        </Field>
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>Create application</Button>
      </DialogFooter>
    </Form>
  );
}
