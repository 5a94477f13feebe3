import { cn } from "./cn";

/** The end of a scale that `value` fits on: 1, 2 or 5 and zeros. */
function scaleEnd(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((step) => step * power).find((end) => end >= value) ?? power * 10;
}

/** A level on a staff gauge: what is there, and above it what is set aside, in the same unit. `reach` fixes the scale. */
export function Gauge({ value, held = 0, reach, label, className }: { value: number; held?: number; reach: number; label: string; className?: string }) {
  const max = scaleEnd(Math.max(reach, value + held));
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
      <div aria-hidden className="mt-0.5 flex justify-between text-2xs text-muted tabular-nums"><span>0</span><span>{(max / 2).toLocaleString("en")}</span><span>{max.toLocaleString("en")}</span></div>
    </div>
  );
}
