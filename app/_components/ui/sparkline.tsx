import { cn } from "./cn";

const barWidth = 2;
const gap = 1;
const height = 22;

/** What was and what was turned away, side by side in time; each bar an equal stretch, the last one running. `label` says the same in words. */
export function Sparkline({ bars, label, className }: { bars: readonly { value: number; refused: number }[]; label: string; className?: string }) {
  const max = Math.max(1, ...bars.map((bar) => bar.value + bar.refused));
  // What is there at all is seen, however large its neighbour.
  const size = (part: number) => (part > 0 ? Math.max(1.5, (part / max) * (height - 1)) : 0);
  const width = bars.length * (barWidth + gap) - gap;
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${height}`} width={width} height={height} className={cn("block max-w-none", className)}>
      <title>{label}</title>
      <rect x={0} y={height - 0.5} width={width} height={0.5} className="fill-line-strong" />
      {bars.map((bar, i) => (
        <g key={i}>
          <rect x={i * (barWidth + gap)} y={height - size(bar.value)} width={barWidth} height={size(bar.value)} className="fill-primary" />
          <rect x={i * (barWidth + gap)} y={height - size(bar.value) - size(bar.refused)} width={barWidth} height={size(bar.refused)} className="fill-brass" />
        </g>
      ))}
    </svg>
  );
}
