import type { ApiKeyView } from "@/lib/keys/schemas";
import { Sparkline } from "@/app/_components/ui/sparkline";

/** The last 36 hours of a key. Its times are hours of the clock, the same everywhere but in a few half-hour zones. */
export function ActivityCell({ activity }: { activity: ApiKeyView["activity"] }) {
  if (!activity) return <span className="text-muted">not known</span>;
  const requests = activity.reduce((sum, hour) => sum + hour.requests, 0);
  const refused = activity.reduce((sum, hour) => sum + hour.refused, 0);
  const label = requests + refused === 0 ? "Quiet for 36 hours" : `${requests.toLocaleString("en")} ${requests === 1 ? "call" : "calls"}${refused > 0 ? `, ${refused.toLocaleString("en")} refused,` : ""} in 36 hours`;
  return <Sparkline label={label} bars={activity.map((hour) => ({ value: hour.requests, refused: hour.refused }))} />;
}
