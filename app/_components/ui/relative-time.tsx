"use client";

import { useSyncExternalStore } from "react";

const steps: [Intl.RelativeTimeFormatUnit, number][] = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];

let listeners: (() => void)[] = [];
let minute = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all times on the page; it turns every 15 seconds while anybody looks. */
function subscribe(listener: () => void): () => void {
  listeners = [...listeners, listener];
  timer ??= setInterval(() => { minute += 1; for (const each of listeners) each(); }, 15_000);
  return () => {
    listeners = listeners.filter((each) => each !== listener);
    if (listeners.length === 0) { clearInterval(timer); timer = undefined; }
  };
}

function words(at: Date): string {
  const seconds = Math.round((at.getTime() - Date.now()) / 1000);
  if (Math.abs(seconds) < 45) return seconds > 0 ? "in a moment" : "just now";
  const [unit, size] = steps.find(([, s]) => Math.abs(seconds) >= s) ?? ["minute", 60];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

const exact = (at: Date) => new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "long" }).format(at);

/**
 * An instant as people say it, in the reader's time zone; the exact one on hover and for those who listen.
 * @param at ISO 8601, or null when it never happened
 * @param exactToo below it, for everybody: where one moment is looked at, and phones have no hover
 */
export function RelativeTime({ at, never = "never", exactToo = false }: { at: string | null | undefined; never?: string; exactToo?: boolean }) {
  // The server knows neither the reader's zone nor their clock: it renders the date, the browser takes over.
  const tick = useSyncExternalStore(subscribe, () => minute, () => -1);
  if (!at) return <span className="text-muted">{never}</span>;
  const date = new Date(at);
  const time = tick < 0
    ? <time dateTime={at} className="whitespace-nowrap tabular-nums">{at.slice(0, 10)}</time>
    : <time dateTime={at} title={exact(date)} className="whitespace-nowrap tabular-nums">{words(date)}</time>;
  return exactToo ? <>{time}<span className="block text-xs text-muted tabular-nums">{tick < 0 ? "\u00a0" : exact(date)}</span></> : time;
}
