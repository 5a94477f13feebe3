"use client";

import { toast } from "sonner";
import { z } from "zod";
import type { PlanView } from "@/lib/tenants/schemas";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogClose, DialogFooter } from "@/app/_components/ui/dialog";
import { Field, Form, FormFailure, useZodForm } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { LimitsFields } from "../../_components/limits-fields";
import { LimitsForm, limitsFormOf, limitsInputOf } from "../../_components/limits-form";
import { createPlanAction, updatePlanAction } from "../actions";

const Fields = z.object({
  name: z.string().trim().min(1, "must not be empty").max(100),
  monthlyCredits: z.string().trim().regex(/^\d{1,10}$/, "must be a whole number").refine((text) => Number(text) <= 1_000_000_000, "must be at most 1,000,000,000"),
  limits: LimitsForm,
});

export function PlanForm({ plan, onDone }: { plan?: PlanView; onDone: () => void }) {
  const form = useZodForm(Fields, { name: plan?.name ?? "", monthlyCredits: String(plan?.monthlyCredits ?? 1000), limits: limitsFormOf(plan?.limits ?? null) });
  return (
    <Form form={form} className="flex min-h-0 flex-1 flex-col" onSubmit={async ({ name, monthlyCredits, limits }) => {
      const input = { name, monthlyCredits: Number(monthlyCredits), limits: limitsInputOf(limits) };
      const result = plan ? await updatePlanAction({ id: plan.id, ...input }) : await createPlanAction(input);
      if (!result.ok) return result;
      toast.success(plan ? `“${name}” is changed` : `“${name}” is created`, plan && plan.tenants > 0 ? { description: "It holds for all of its tenants, on every server." } : {});
      onDone();
      return { ok: true };
    }}>
      <DialogBody className="space-y-5">
        <FormFailure />
        <Field name="name" label="Name">
          {(field, aria) => <Input {...field} {...aria} autoFocus autoComplete="off" maxLength={100} placeholder="Team" />}
        </Field>
        <Field name="monthlyCredits" label="Credits that a new account starts with">
          {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
        </Field>
        <LimitsFields inherited="the operator’s" />
      </DialogBody>
      <DialogFooter>
        <DialogClose asChild><Button variant="secondary">Cancel</Button></DialogClose>
        <Button type="submit" busy={form.formState.isSubmitting}>{plan ? "Save changes" : "Create plan"}</Button>
      </DialogFooter>
    </Form>
  );
}
