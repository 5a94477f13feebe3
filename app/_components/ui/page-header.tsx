import type { ReactNode } from "react";

export function PageHeader({ title, children, actions, above }: { title: ReactNode; /** One sentence on what the page is for. */ children?: ReactNode; actions?: ReactNode; above?: ReactNode }) {
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-x-6 gap-y-4">
      <div className="min-w-0">
        {above && <div className="mb-1.5 text-sm text-muted">{above}</div>}
        <h1 className="text-2xl font-semibold tracking-tight wrap-anywhere">{title}</h1>
        {children && <p className="mt-1 max-w-2xl text-sm wrap-anywhere text-muted">{children}</p>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}
