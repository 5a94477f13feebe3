"use client";

import { useEffect } from "react";

/** What must answer again before trying makes sense, by the code of the failure. */
const needs: Record<string, string[]> = { identity_unavailable: ["identity"], store_unavailable: ["database", "sessions"] };
const everyMs = 4000;

/** While the face of an outage is open, looks whether what was away is back, and then tries again by itself. Other failures stay as they are. */
export function useComeback(code: string | undefined, tryAgain: () => void): void {
  useEffect(() => {
    const parts = code && Object.hasOwn(needs, code) ? (needs[code] ?? []) : [];
    if (parts.length === 0) return;
    const timer = setInterval(() => {
      if (document.visibilityState !== "visible") return;
      fetch("/status/state", { cache: "no-store" })
        .then((answer) => answer.json() as Promise<{ parts: Record<string, boolean> }>)
        .then((status) => { if (parts.every((part) => status.parts[part])) tryAgain(); })
        // A portal that is away itself is asked again with the next turn.
        .catch(() => undefined);
    }, everyMs);
    return () => clearInterval(timer);
  }, [code, tryAgain]);
}
