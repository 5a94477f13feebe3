"use client";

import { MapPin } from "lucide-react";
import { useFormContext, useWatch } from "react-hook-form";
import { Button } from "@/app/_components/ui/button";
import { Field } from "@/app/_components/ui/form";
import { Input } from "@/app/_components/ui/input";
import { Select } from "@/app/_components/ui/select";
import { Textarea } from "@/app/_components/ui/textarea";
import { linesOf } from "./address-lines";
import { ChatflowPicker } from "./chatflow-picker";
import { expiryChoices, type KeyChoices, type KeyFormValues, windowChoices } from "./key-form-schema";
import { PermissionPicker } from "./permission-picker";

type KeyFieldsProps = { choices: KeyChoices; /** The latest end that is allowed. */ endsAtMost: Date | null; /** For a key that is there already: its end, in words. */ keep?: { label: string }; autoFocus?: boolean };

/** The fields of a key, the same for one that is made and one that is changed. */
export function KeyFields({ choices, endsAtMost, keep, autoFocus = false }: KeyFieldsProps) {
  return (
    <>
      <Field name="name" label="Name" hint="What or who will use it, so that you know it again.">
        {(field, aria) => <Input {...field} {...aria} autoFocus={autoFocus} autoComplete="off" maxLength={100} placeholder="Nightly report" />}
      </Field>
      <Field name="description" label="Description" optional>
        {(field, aria) => <Textarea {...field} {...aria} rows={2} maxLength={500} />}
      </Field>
      <Field name="permissions" label="What it may do" isGroup>
        {(field) => <PermissionPicker offered={choices.permissions} value={field.value as string[]} onChange={field.onChange} />}
      </Field>
      <div className="grid gap-5 sm:grid-cols-2">
        <LimitFields />
        <ExpiryFields endsAtMost={endsAtMost} lifetimeDays={choices.lifetimeDays} keep={keep} />
      </div>
      <Field name="chatflowIds" label="Chatflows it may call" isGroup>
        {(field) => <ChatflowPicker offered={choices.chatflows} value={field.value as string[] | null} onChange={field.onChange} />}
      </Field>
      <AddressField ownAddress={choices.ownAddress} />
    </>
  );
}

function LimitFields() {
  const { getValues } = useFormContext<KeyFormValues>();
  const given = getValues("rateLimit.window");
  const known = windowChoices.some((choice) => choice.value === given);
  return (
    <div className="flex items-start gap-2">
      <Field name="rateLimit.requests" label="Calls at most" className="flex-1">
        {(field, aria) => <Input {...field} {...aria} inputMode="numeric" autoComplete="off" className="tabular-nums" />}
      </Field>
      <Field name="rateLimit.window" label="Per" className="flex-1">
        {({ value, onChange }, aria) => <Select {...aria} value={value as string} onValueChange={onChange} choices={known ? windowChoices : [{ value: given, label: `${given} seconds` }, ...windowChoices]} />}
      </Field>
    </div>
  );
}

function ExpiryFields({ endsAtMost, lifetimeDays, keep }: { endsAtMost: Date | null; lifetimeDays: number | null; keep?: { label: string } }) {
  const isDate = useWatch<KeyFormValues, "expiresAt">({ name: "expiresAt" }) === "date";
  return (
    <div className="space-y-3">
      <Field name="expiresAt" label="Expires" hint={lifetimeDays ? `Your organisation lets a key live for ${lifetimeDays} days at most, counted from its creation.` : undefined}>
        {({ value, onChange }, aria) => <Select {...aria} value={value as string} onValueChange={onChange} choices={expiryChoices(endsAtMost, keep)} />}
      </Field>
      {isDate && (
        <Field name="expiresOn" label="Last day">
          {(field, aria) => <Input {...field} {...aria} type="date" />}
        </Field>
      )}
    </div>
  );
}

function AddressField({ ownAddress }: { ownAddress: string | null }) {
  const { getValues, setValue } = useFormContext<KeyFormValues>();
  const text = useWatch<KeyFormValues, "allowedIps">({ name: "allowedIps" });
  const hasOwn = linesOf(text).some((line) => line.text === ownAddress);
  return (
    <div className="space-y-2">
      <Field name="allowedIps" label="Addresses it may call from" optional hint="One a line: an IPv4 or IPv6 address, or a range such as 10.0.0.0/8. Empty means from anywhere.">
        {(field, aria) => <Textarea {...field} {...aria} rows={3} spellCheck={false} autoComplete="off" className="font-mono" placeholder={"203.0.113.7\n2001:db8::/48"} />}
      </Field>
      {ownAddress && !hasOwn && (
        <Button variant="secondary" size="sm" onClick={() => setValue("allowedIps", [getValues("allowedIps").trimEnd(), ownAddress].filter(Boolean).join("\n"), { shouldDirty: true, shouldValidate: true, shouldTouch: true })}>
          <MapPin aria-hidden />Add your address now, <span className="font-mono">{ownAddress}</span>
        </Button>
      )}
    </div>
  );
}
