"use client";

import { useState } from "react";
import { defaultPermissions } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { createKeyAction } from "../actions";
import { KeyFields } from "./key-fields";
import { atFormFields, type CreatedKey, type KeyChoices, KeyForm, toCreateInput } from "./key-form-schema";

const dayMs = 86_400_000;

export function CreateKeyForm({ choices, onCreated }: { choices: KeyChoices; onCreated: (created: CreatedKey) => void }) {
  const { permissions, lifetimeDays } = choices;
  const form = useZodForm(KeyForm, {
    name: "", description: "", permissions: defaultPermissions.filter((name) => (permissions as readonly string[]).includes(name)),
    rateLimit: { requests: "1000", window: "3600" }, expiresAt: lifetimeDays !== null && lifetimeDays < 90 ? "latest" : "90", expiresOn: "", chatflowIds: null, allowedIps: "",
  });
  const [endsAtMost] = useState(() => (lifetimeDays === null ? null : new Date(Date.now() + lifetimeDays * dayMs)));
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async (values) => {
      const result = await createKeyAction(toCreateInput(values, lifetimeDays));
      if (!result.ok) return { ok: false, problem: atFormFields(result.problem) };
      onCreated(result.data);
      return result;
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <KeyFields autoFocus choices={choices} endsAtMost={endsAtMost} />
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>Create key</Button>
      </DialogFooter>
    </Form>
  );
}
