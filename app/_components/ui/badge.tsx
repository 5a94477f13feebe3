import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./cn";

const badgeVariants = cva("inline-flex w-fit max-w-full shrink-0 items-center gap-1.5 rounded-sm px-1.5 py-0.5 text-xs font-medium whitespace-nowrap", {
  variants: {
    tone: {
      neutral: "bg-foreground/7 text-foreground",
      water: "bg-primary-soft text-primary-ink",
      good: "bg-success-soft text-success-ink",
      warn: "bg-brass-soft text-brass-ink",
      bad: "bg-danger-soft text-danger-ink",
      outline: "border text-muted",
    },
  },
  defaultVariants: { tone: "neutral" },
});

export type Tone = NonNullable<VariantProps<typeof badgeVariants>["tone"]>;

const dots: Partial<Record<Tone, string>> = { good: "bg-success", warn: "bg-brass", bad: "bg-danger", neutral: "bg-line-strong", water: "bg-primary" };

/** `dot` adds a lamp in the same colour; the words always say the same, colour alone says nothing. */
export function Badge({ className, tone, dot = false, children, ...props }: ComponentProps<"span"> & VariantProps<typeof badgeVariants> & { dot?: boolean }) {
  return (
    <span className={cn(badgeVariants({ tone }), className)} {...props}>
      {dot && <span aria-hidden className={cn("size-1.5 rounded-full", dots[tone ?? "neutral"])} />}
      {children}
    </span>
  );
}
