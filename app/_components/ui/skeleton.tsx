import { cn } from "./cn";

/** Holds the place of what is loading, so that nothing jumps when it comes. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("animate-pulse rounded-md bg-foreground/8", className)} />;
}
