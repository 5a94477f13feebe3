"use client";

import { toast } from "sonner";
import { z } from "zod";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { adjustTenantCreditsAction } from "../actions";

const Fields = z.object({
  amount: z.string().trim().regex(/^[-−]?\d{1,10}$/, "must be a whole number, with a minus to take back").refine((text) => !/^[-−]?0+$/.test(text), "must not be zero"),
  reason: z.string().trim().min(1, "must not be empty").max(500),
});

export function TenantCreditsForm({ tenantId, name, onDone }: { tenantId: string; name: string; onDone: () => void }) {
  const form = useZodForm(Fields, { amount: "", reason: "" });
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async ({ amount, reason }) => {
      const result = await adjustTenantCreditsAction({ id: tenantId, amount: Number(amount.replace("−", "-")), reason });
      if (!result.ok) return result;
      toast.success(`${name} has ${result.data.available.toLocaleString("en")} credits now`);
      onDone();
      return { ok: true };
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <Field name="amount" label="Credits" hint="With a minus they are taken back, never below zero.">
          {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" className="tabular-nums" />}
        </Field>
        <Field name="reason" label="Reason" hint="It stands in the ledger and in the audit log.">
          {(field, aria) => <Input {...field} {...aria} autoComplete="off" maxLength={500} />}
        </Field>
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>Book credits</Button>
      </DialogFooter>
    </Form>
  );
}
