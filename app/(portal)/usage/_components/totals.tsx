import Link from "next/link";
import type { ReactNode } from "react";

/** What a time came to, as a row of numbers with their names, and where the names are explained. */
export function Totals({ items }: { items: { label: string; value: ReactNode; hint?: string }[] }) {
  return (
    <div className="space-y-3">
      <dl className="grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-3 lg:grid-cols-[repeat(auto-fit,minmax(7rem,1fr))]">
        {items.map(({ label, value, hint }) => (
          <div key={label} className="min-w-0">
            <dt className="text-xs text-muted">{label}</dt>
            <dd className="mt-0.5 text-xl font-semibold tracking-tight tabular-nums">{typeof value === "number" ? value.toLocaleString("en") : value}</dd>
            {hint && <dd className="text-xs text-muted">{hint}</dd>}
          </div>
        ))}
      </dl>
      <p className="text-xs text-muted"><Link href="/docs/keys#counts" className="underline underline-offset-4">What counts as an error or refused</Link></p>
    </div>
  );
}

export const ms = (value: number | null) => (value === null ? "–" : `${value.toLocaleString("en")} ms`);
