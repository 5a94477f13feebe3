import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./cn";

const faces = {
  info: { icon: Info, box: "border-primary/30 bg-primary-soft", ink: "text-primary-ink" },
  good: { icon: CircleCheck, box: "border-success/40 bg-success-soft", ink: "text-success-ink" },
  warn: { icon: TriangleAlert, box: "border-brass/60 bg-brass-soft", ink: "text-brass-ink" },
  bad: { icon: CircleAlert, box: "border-danger/35 bg-danger-soft", ink: "text-danger-ink" },
} as const;

/** A banner inside a page. `live` reads it aloud when it appears. */
export function Notice({ tone = "info", title, children, action, live = false, className }: { tone?: keyof typeof faces; title: ReactNode; children?: ReactNode; action?: ReactNode; live?: boolean; className?: string }) {
  const face = faces[tone];
  return (
    <div {...(live && { role: tone === "bad" ? "alert" : "status" })} className={cn("flex flex-wrap items-center gap-x-4 gap-y-3 rounded-lg border px-4 py-3", face.box, className)}>
      <div className="flex min-w-0 flex-1 basis-64 gap-3">
        <face.icon aria-hidden className={cn("mt-0.5 size-4.5 shrink-0", face.ink)} />
        <div className="min-w-0 text-sm">
          <p className={cn("font-semibold", face.ink)}>{title}</p>
          {children && <div className="mt-0.5 text-foreground">{children}</div>}
        </div>
      </div>
      {action}
    </div>
  );
}
