import type { Tone } from "@/app/_components/ui/badge";

/** Of a call's status. A caller who left (499) is nobody's error. */
export const toneOf = (status: number): Tone => (status === 499 ? "neutral" : status >= 500 ? "bad" : status >= 400 ? "warn" : "good");
