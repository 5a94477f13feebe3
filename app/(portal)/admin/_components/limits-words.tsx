import type { LimitsView } from "@/lib/tenants/schemas";

const windows: Record<number, string> = { 1: "second", 60: "minute", 3600: "hour", 86_400: "day", 2_592_000: "30 days" };

/** "1,000,000 calls per hour" */
export function rateWords({ requests, window }: { requests: number; window: number }): string {
  return `${requests.toLocaleString("en")} calls per ${windows[window] ?? `${window.toLocaleString("en")} seconds`}`;
}

/** What is set, a line each; `none` where nothing is. */
export function LimitsWords({ limits, none }: { limits: LimitsView; none: string }) {
  const lines = [
    limits.keysPerUser === null ? null : `${limits.keysPerUser.toLocaleString("en")} keys a person`,
    limits.keyMaxLifetimeDays === null ? null : `keys live ${limits.keyMaxLifetimeDays.toLocaleString("en")} days at most`,
    limits.rateLimit === null ? null : rateWords(limits.rateLimit),
  ].filter((line) => line !== null);
  if (lines.length === 0) return <span className="text-muted">{none}</span>;
  return <ul className="space-y-0.5 text-[0.8125rem]">{lines.map((line) => <li key={line}>{line}</li>)}</ul>;
}
