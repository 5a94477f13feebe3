import type { ReactNode } from "react";

/** A part of a documentation page that can be linked to. */
export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} className="mt-12 scroll-mt-6 first:mt-0">
      <h2 id={`${id}-title`} className="text-lg font-semibold tracking-tight">{title}</h2>
      <div className="mt-3 space-y-4 text-[0.9375rem] leading-relaxed">{children}</div>
    </section>
  );
}
