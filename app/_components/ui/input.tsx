import type { ComponentProps } from "react";
import { cn } from "./cn";

export const fieldClasses =
  "w-full min-w-0 rounded-md border border-line-strong bg-surface px-3 text-base text-foreground transition-colors placeholder:text-muted disabled:cursor-not-allowed disabled:opacity-55 aria-invalid:border-danger focus-visible:outline-offset-0 md:text-sm";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={cn(fieldClasses, "h-9", className)} {...props} />;
}
