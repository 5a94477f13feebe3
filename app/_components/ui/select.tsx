import { ChevronDown } from "lucide-react";
import { cn } from "./cn";
import { fieldClasses } from "./input";

export type Choice<V extends string = string> = { value: V; label: string };

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

/** One of a short list. The browser's own: phones and keyboards know it, and it weighs nothing. */
export function Select<V extends string>({ value, onValueChange, choices, className, ...field }: SelectProps<V>) {
  return (
    <span className={cn("relative block w-full min-w-0", className)}>
      <select className={cn(fieldClasses, "h-9 appearance-none truncate pr-9")} value={value} onChange={(event) => onValueChange(event.target.value as V)} {...field}>
        {choices.map((choice) => <option key={choice.value} value={choice.value} className="bg-surface text-foreground">{choice.label}</option>)}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-2.5 right-3 size-4 text-muted" />
    </span>
  );
}
