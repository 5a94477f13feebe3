"use client";

import { toast } from "sonner";
import { z } from "zod";
import { CreateTenantInput, type TenantView } from "@/lib/tenants/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { Select } from "@/app/_components/ui/select";
import { LimitsFields } from "../../_components/limits-fields";
import { LimitsForm, limitsFormOf, limitsInputOf } from "../../_components/limits-form";
import { createTenantAction, updateTenantAction } from "../actions";

const Fields = z.object({ slug: CreateTenantInput.shape.slug, name: z.string().trim().min(1, "must not be empty").max(200), plan: z.string(), creditMode: z.enum(["user", "tenant"]), limits: LimitsForm });

const modes = [{ value: "user", label: "Each person’s own" }, { value: "tenant", label: "One for the whole tenant" }] as const;

/** Creates a tenant, or changes one. The slug is how Keycloak names it, and stays. */
export function TenantForm({ tenant, plans, onDone }: { tenant?: TenantView; plans: string[]; onDone: () => void }) {
  const form = useZodForm(Fields, { slug: tenant?.slug ?? "", name: tenant?.name ?? "", plan: tenant?.plan ?? "default", creditMode: tenant?.creditMode ?? "user", limits: limitsFormOf(tenant?.limits ?? null) });
  const choices = [...new Set([...(tenant ? [tenant.plan] : ["default"]), ...plans])].map((name) => ({ value: name, label: name }));
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async ({ slug, limits, ...values }) => {
      const input = { ...values, limits: limitsInputOf(limits) };
      const result = tenant ? await updateTenantAction({ id: tenant.id, ...input }) : await createTenantAction({ slug, ...input });
      if (!result.ok) return result;
      toast.success(tenant ? `“${result.data.name}” is changed` : `“${result.data.name}” is created`, tenant ? { description: "It holds on every server." } : {});
      onDone();
      return { ok: true };
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <Field name="name" label="Name">
          {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" maxLength={200} placeholder="Acme Ltd" />}
        </Field>
        {!tenant && (
          <Field name="slug" label="Slug" hint="As Keycloak names it: the organisation, or the group’s path without the slash. It cannot be changed later.">
            {(field, aria) => <Input {...field} {...aria} autoComplete="off" spellCheck={false} className="font-mono" placeholder="acme" />}
          </Field>
        )}
        <div className="grid gap-5 sm:grid-cols-2">
          <Field name="plan" label="Plan">
            {({ value, onChange }, aria) => <Select {...aria} value={value as string} onValueChange={onChange} choices={choices} />}
          </Field>
          <Field name="creditMode" label="Credits come from">
            {({ value, onChange }, aria) => <Select {...aria} value={value as string} onValueChange={onChange} choices={modes} />}
          </Field>
        </div>
        <LimitsFields inherited="the plan’s" />
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>{tenant ? "Save changes" : "Create tenant"}</Button>
      </DialogFooter>
    </Form>
  );
}
