import type { ComponentProps, ReactNode } from "react";
import { cn } from "./cn";

export function Card({ className, ...props }: ComponentProps<"section">) {
  return <section className={cn("rounded-lg border bg-surface shadow-raised", className)} {...props} />;
}

export function CardHeader({ title, hint, aside, className }: { title: ReactNode; hint?: ReactNode; aside?: ReactNode; className?: string }) {
  return (
    <div className={cn("flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-5 pt-4", className)}>
      <div className="min-w-0">
        <h2 className="text-sm font-semibold wrap-anywhere">{title}</h2>
        {hint && <p className="mt-0.5 text-sm wrap-anywhere text-muted">{hint}</p>}
      </div>
      {aside}
    </div>
  );
}

export function CardBody({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("px-5 pt-3 pb-5", className)} {...props} />;
}
