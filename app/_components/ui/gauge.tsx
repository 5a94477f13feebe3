import { cn } from "./cn";

/** A level between banks: what is there, and above it what is set aside. All three in the same unit. */
export function Gauge({ value, held = 0, max, label, className }: { value: number; held?: number; max: number; label: string; className?: string }) {
  const share = (part: number) => `${max > 0 ? Math.min(100, Math.max(0, (part / max) * 100)) : 0}%`;
  return (
    <div role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={max} aria-valuenow={Math.min(value, max)} aria-valuetext={`${value} of ${max}${held ? `, ${held} held` : ""}`} className={cn("relative", className)}>
      <div className="flex h-2.5 overflow-hidden rounded-sm bg-foreground/9">
        <div className="bg-primary transition-[width]" style={{ width: share(value) }} />
        <div className="bg-brass transition-[width]" style={{ width: share(held) }} />
      </div>
      <div aria-hidden className="mt-1 flex justify-between px-px">
        {Array.from({ length: 11 }, (_, i) => <span key={i} className={cn("w-px bg-line-strong/70", i % 5 === 0 ? "h-1.5" : "h-1")} />)}
      </div>
    </div>
  );
}
