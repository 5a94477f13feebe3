import type { ComponentProps } from "react";

/** The mark: a gate half raised between its posts, and the water that it lets through. */
export function Mark({ className, ...props }: ComponentProps<"svg">) {
  return (
    <svg viewBox="0 0 32 32" fill="none" aria-hidden className={className} {...props}>
      <path d="M5 29V4.5h22V29" stroke="currentColor" strokeWidth="2.5" strokeLinejoin="round" strokeLinecap="round" />
      <rect x="9.5" y="8.5" width="13" height="8" rx="1" fill="var(--brass)" />
      <path d="M16 4.5v4" stroke="var(--brass)" strokeWidth="2.5" />
      <path d="M9 21.5c2.3-2 4.7-2 7 0s4.7 2 7 0" stroke="currentColor" strokeWidth="2.25" strokeLinecap="round" />
      <path d="M9 26.5c2.3-2 4.7-2 7 0s4.7 2 7 0" stroke="currentColor" strokeWidth="2.25" strokeLinecap="round" opacity=".6" />
    </svg>
  );
}

export function Wordmark({ className }: { className?: string }) {
  return (
    <span className={className}>
      <span className="inline-flex items-center gap-2.5">
        <Mark className="size-7" />
        <span className="text-[1.0625rem] font-semibold tracking-tight">Sluice</span>
      </span>
    </span>
  );
}

const row = (y: number) => `M0 ${y}${Array.from({ length: 24 }, (_, i) => `q20 ${i % 2 ? 7 : -7} 40 0`).join("")}`;

/** Level lines, closer together the deeper they lie. Decoration only. */
export function WaterLines({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 960 96" preserveAspectRatio="none" fill="none" aria-hidden className={className}>
      {[14, 38, 58, 74, 86].map((y) => <path key={y} d={row(y)} stroke="currentColor" strokeWidth="1.25" vectorEffect="non-scaling-stroke" />)}
    </svg>
  );
}
