"use client";

import { Switch as SwitchPrimitive } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "./cn";

export function Switch({ className, ...props }: ComponentProps<typeof SwitchPrimitive.Root>) {
  return (
    <SwitchPrimitive.Root className={cn("relative h-5 w-9 shrink-0 rounded-full border border-line-strong bg-foreground/12 transition-colors data-[state=checked]:border-primary data-[state=checked]:bg-primary disabled:opacity-55", className)} {...props}>
      <SwitchPrimitive.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-foreground/70 transition-transform data-[state=checked]:translate-x-4.25 data-[state=checked]:bg-on-primary" />
    </SwitchPrimitive.Root>
  );
}
