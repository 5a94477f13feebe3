"use client";

import { Check, ChevronDown } from "lucide-react";
import { Select as SelectPrimitive } from "radix-ui";
import { cn } from "./cn";
import { fieldClasses } from "./input";

export type Choice<V extends string = string> = { value: V; label: string; hint?: string };

type SelectProps<V extends string> = {
  value: V;
  onValueChange: (value: V) => void;
  choices: readonly Choice<V>[];
  id?: string;
  className?: string;
  disabled?: boolean;
  "aria-label"?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
};

/** One of a short list. Values may not be empty strings (Radix keeps those for "nothing chosen"). */
export function Select<V extends string>({ value, onValueChange, choices, className, disabled, ...field }: SelectProps<V>) {
  return (
    <SelectPrimitive.Root value={value} onValueChange={(next) => onValueChange(next as V)} disabled={disabled}>
      <SelectPrimitive.Trigger className={cn(fieldClasses, "flex h-9 items-center justify-between gap-2 text-left", className)} {...field}>
        <span className="truncate"><SelectPrimitive.Value /></span>
        <SelectPrimitive.Icon asChild><ChevronDown aria-hidden className="size-4 shrink-0 text-muted" /></SelectPrimitive.Icon>
      </SelectPrimitive.Trigger>
      <SelectPrimitive.Portal>
        <SelectPrimitive.Content position="popper" sideOffset={4} className="z-60 max-h-(--radix-select-content-available-height) min-w-(--radix-select-trigger-width) overflow-hidden rounded-md border bg-surface text-foreground shadow-float">
          <SelectPrimitive.Viewport className="p-1">
            {choices.map((choice) => (
              <SelectPrimitive.Item key={choice.value} value={choice.value} className="relative flex items-center rounded-sm py-1.5 pr-8 pl-2.5 text-sm outline-none data-[highlighted]:bg-primary-soft data-[highlighted]:text-primary-ink">
                <SelectPrimitive.ItemText>{choice.label}</SelectPrimitive.ItemText>
                <SelectPrimitive.ItemIndicator className="absolute right-2"><Check aria-hidden className="size-4" /></SelectPrimitive.ItemIndicator>
              </SelectPrimitive.Item>
            ))}
          </SelectPrimitive.Viewport>
        </SelectPrimitive.Content>
      </SelectPrimitive.Portal>
    </SelectPrimitive.Root>
  );
}
