import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./cn";
import { WaterLines } from "./mark";

/** A list with nothing in it: why, and what to do about it. */
export function EmptyState({ icon: Icon, title, children, action, className }: { icon: LucideIcon; title: string; children?: ReactNode; action?: ReactNode; className?: string }) {
  return (
    <div className={cn("relative overflow-hidden px-6 pt-12 pb-24 text-center", className)}>
      <WaterLines className="absolute inset-x-0 bottom-0 h-16 w-full text-primary opacity-20" />
      <Icon aria-hidden className="mx-auto size-7 text-primary" strokeWidth={1.5} />
      <h2 className="mt-4 text-base font-semibold">{title}</h2>
      {children && <div className="mx-auto mt-1.5 max-w-md text-sm text-muted">{children}</div>}
      {action && <div className="relative mt-5 flex justify-center gap-2">{action}</div>}
    </div>
  );
}
