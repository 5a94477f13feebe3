"use client";

import { useFormContext } from "react-hook-form";
import { Field } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { Select } from "@/app/_components/ui/select";
import { windowChoices } from "../../keys/_components/key-form-schema";

/** The limits of a plan or a tenant. `inherited` says whose holds where a field is empty. */
export function LimitsFields({ inherited }: { inherited: string }) {
  const { getValues } = useFormContext();
  const given = String(getValues("limits.rateLimit.window"));
  const choices = windowChoices.some((choice) => choice.value === given) ? windowChoices : [{ value: given, label: `${given} seconds` }, ...windowChoices];
  return (
    <fieldset className="space-y-4 rounded-lg border p-4">
      <legend className="px-1 text-sm font-medium">Limits</legend>
      <p className="text-[0.8125rem] text-muted">An empty field means {inherited}.</p>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field name="limits.keysPerUser" label="API keys a person may have" optional>
          {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
        </Field>
        <Field name="limits.keyMaxLifetimeDays" label="Days that a key may live" optional>
          {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
        </Field>
        <Field name="limits.rateLimit.requests" label="Calls of the whole tenant" optional>
          {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
        </Field>
        <Field name="limits.rateLimit.window" label="Per">
          {({ value, onChange }, aria) => <Select {...aria} value={value as string} onValueChange={onChange} choices={choices} />}
        </Field>
      </div>
    </fieldset>
  );
}
