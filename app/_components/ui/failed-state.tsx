import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./cn";

type FailedStateProps = { title: string; children?: ReactNode; /** Ids that whoever helps will ask for. */ references?: { label: string; value: string | undefined }[]; action?: ReactNode; className?: string };

/** What could not be shown, in plain words, with a way on. */
export function FailedState({ title, children, references = [], action, className }: FailedStateProps) {
  const known = references.filter((reference) => reference.value);
  return (
    <div role="alert" className={cn("px-6 py-12 text-center", className)}>
      <CircleAlert aria-hidden className="mx-auto size-7 text-danger" strokeWidth={1.5} />
      <h2 className="mt-4 text-base font-semibold">{title}</h2>
      {children && <div className="mx-auto mt-1.5 max-w-md text-sm text-muted">{children}</div>}
      {known.length > 0 && (
        <dl className="mt-4 inline-grid grid-cols-[auto_auto] gap-x-3 gap-y-1 text-left text-xs text-muted">
          {known.map((reference) => (
            <div key={reference.label} className="contents"><dt>{reference.label}</dt><dd className="font-mono break-all">{reference.value}</dd></div>
          ))}
        </dl>
      )}
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
