import { isError, isRefusal } from "@/lib/usage/schemas";
import type { Tone } from "@/app/_components/ui/badge";

/** Of a call's answer, in the colours of the plots. A caller who left (499) is nobody's error. */
export const toneOf = (call: { status: number; code?: string | undefined }): Tone => (isRefusal(call) ? "warn" : isError(call) ? "bad" : call.status === 499 ? "neutral" : "good");
