import type { ReactNode } from "react";

/** What a time came to, as a row of numbers with their names. */
export function Totals({ items }: { items: { label: string; value: ReactNode; hint?: string }[] }) {
  return (
    <dl className="grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-3 lg:grid-cols-[repeat(auto-fit,minmax(7rem,1fr))]">
      {items.map(({ label, value, hint }) => (
        <div key={label} className="min-w-0">
          <dt className="text-xs text-muted">{label}</dt>
          <dd className="mt-0.5 text-xl font-semibold tracking-tight tabular-nums">{typeof value === "number" ? value.toLocaleString("en") : value}</dd>
          {hint && <dd className="text-xs text-muted">{hint}</dd>}
        </div>
      ))}
    </dl>
  );
}

export const ms = (value: number | null) => (value === null ? "–" : `${value.toLocaleString("en")} ms`);
