import type { DecisionView } from "@/lib/usage/schemas";
import { RelativeTime } from "@/app/_components/ui/relative-time";

/** What a check saw or would have accepted: nothing, a word, a number, a moment, or several. */
export function ValueList({ value }: { value: DecisionView["seen"] }) {
  if (value === null || (Array.isArray(value) && value.length === 0)) return <span className="text-muted">nothing</span>;
  if (Array.isArray(value)) return <ul className="space-y-1 pt-0.5">{value.map((one, i) => <li key={`${i} ${one}`} className="font-mono text-xs break-all">{one === "" ? "the whole" : one}</li>)}</ul>;
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return <RelativeTime at={value} />;
  return <span className="font-mono text-xs break-all">{value}</span>;
}
