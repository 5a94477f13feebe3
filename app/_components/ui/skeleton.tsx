import { cn } from "./cn";

/** Holds the place of what is loading, so that nothing jumps when it comes. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("animate-pulse rounded-md bg-foreground/8", className)} />;
}

/** Holds a form's place in its dialog while its code comes. */
export function FormLoading() {
  return <div className="space-y-5 px-5 py-4"><Skeleton className="h-15" /><Skeleton className="h-24" /><Skeleton className="h-40" /></div>;
}
