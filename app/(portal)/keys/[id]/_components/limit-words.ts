const named: Record<number, string> = { 1: "second", 60: "minute", 3600: "hour", 86_400: "day", 604_800: "week", 2_592_000: "30 days" };

/** "1,000 calls per hour" */
export function limitWords({ requests, window }: { requests: number; window: number }): string {
  return `${requests.toLocaleString("en")} ${requests === 1 ? "call" : "calls"} per ${named[window] ?? `${window.toLocaleString("en")} seconds`}`;
}
