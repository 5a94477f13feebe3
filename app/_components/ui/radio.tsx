import type { ComponentProps, ReactNode } from "react";
import { cn } from "./cn";

/** One of a few that are all worth seeing. The browser's own radio: the arrow keys and the form know it already. */
export function Radio({ children, hint, className, ...props }: Omit<ComponentProps<"input">, "type"> & { children: ReactNode; hint?: ReactNode }) {
  return (
    <label className={cn("flex gap-2.5 text-sm", className)}>
      <input type="radio" className="mt-0.5 size-4 shrink-0 accent-primary" {...props} />
      <span>{children}{hint && <span className="block text-[0.8125rem] text-muted">{hint}</span>}</span>
    </label>
  );
}
