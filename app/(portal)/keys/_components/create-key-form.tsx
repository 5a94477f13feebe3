"use client";

import type { Permission } from "@/lib/access/permissions";
import { defaultPermissions } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { Select } from "@/app/_components/ui/select";
import { Textarea } from "@/app/_components/ui/textarea";
import { createKeyAction } from "../actions";
import { type CreatedKey, expiryChoices, KeyForm, toCreateInput, windowChoices } from "./key-form-schema";
import { PermissionPicker } from "./permission-picker";

export function CreateKeyForm({ offered, onCreated }: { offered: readonly Permission[]; onCreated: (created: CreatedKey) => void }) {
  const form = useZodForm(KeyForm, {
    name: "", description: "", permissions: defaultPermissions.filter((name) => (offered as readonly string[]).includes(name)),
    rateLimit: { requests: "1000", window: "3600" }, expiresIn: String(90 * 86_400) as "7776000",
  });
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async (values) => {
      const result = await createKeyAction(toCreateInput(values));
      if (result.ok) onCreated(result.data);
      return result;
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <Field name="name" label="Name" hint="What or who will use it, so that you know it again.">
          {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" maxLength={100} placeholder="Nightly report" />}
        </Field>
        <Field name="description" label="Description" optional>
          {(field, aria) => <Textarea {...field} {...aria} rows={2} maxLength={500} />}
        </Field>
        <Field name="permissions" label="What it may do" isGroup>
          {(field) => <PermissionPicker offered={offered} value={field.value} onChange={field.onChange} />}
        </Field>
        <div className="grid gap-5 sm:grid-cols-2">
          <div className="flex items-start gap-2">
            <Field name="rateLimit.requests" label="Calls at most" className="flex-1">
              {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
            </Field>
            <Field name="rateLimit.window" label="Per" className="flex-1">
              {({ value, onChange }, aria) => <Select {...aria} value={value} onValueChange={onChange} choices={windowChoices} />}
            </Field>
          </div>
          <Field name="expiresIn" label="Expires">
            {({ value, onChange }, aria) => <Select {...aria} value={value} onValueChange={onChange} choices={expiryChoices} />}
          </Field>
        </div>
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>Create key</Button>
      </DialogFooter>
    </Form>
  );
}
