"use client";

import { z } from "zod";
import type { Permission } from "@/lib/access/permissions";
import { type ApiKeyView, defaultPermissions } from "@/lib/keys/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { KeyFields } from "../../../keys/_components/key-fields";
import { KeyForm, toCreateInput } from "../../../keys/_components/key-form-schema";
import { createAnyKeyAction } from "../actions";

const Fields = KeyForm.safeExtend({ tenant: z.string().trim().min(1, "must not be empty").max(100), user: z.string().trim().min(1, "must not be empty").max(320) });

type Created = { key: ApiKeyView; secret: string; grant: "missing" | "active"; message?: string };

export function CreateAnyKeyForm({ permissions, tenants, onCreated }: { permissions: readonly Permission[]; tenants: string[]; onCreated: (created: Created) => void }) {
  const form = useZodForm(Fields, {
    tenant: tenants.length === 1 ? tenants[0] : "", user: "", name: "", description: "", permissions: defaultPermissions.filter((name) => (permissions as readonly string[]).includes(name)),
    rateLimit: { requests: "1000", window: "3600" }, expiresAt: "90", expiresOn: "", chatflowIds: null, allowedIps: "",
  });
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async ({ tenant, user, ...values }) => {
      const result = await createAnyKeyAction({ ...toCreateInput(values, null), tenant, user });
      if (result.ok) onCreated(result.data);
      return result;
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <div className="grid gap-5 sm:grid-cols-2">
          <Field name="tenant" label="Tenant" hint="Its slug.">
            {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" spellCheck={false} list="tenant-slugs" className="font-mono" />}
          </Field>
          <Field name="user" label="Person" hint="Username or verified email; looked up in Keycloak when not yet known here.">
            {(field, aria) => <Input {...field} {...aria} autoComplete="off" spellCheck={false} />}
          </Field>
        </div>
        <datalist id="tenant-slugs">{tenants.map((slug) => <option key={slug} value={slug} />)}</datalist>
        <KeyFields choices={{ permissions, chatflows: null, lifetimeDays: null, ownAddress: null }} endsAtMost={null} />
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>Create key</Button>
      </DialogFooter>
    </Form>
  );
}
