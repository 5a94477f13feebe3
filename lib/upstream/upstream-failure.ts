import { z } from "zod";
import { SluiceError } from "@/lib/platform/errors";
import { scrub } from "@/lib/platform/logger";
import type { UpstreamAnswer } from "./call-upstream";
import { readJson } from "./read-json";

const NflowErrors = z.object({ refId: z.string().max(200).optional(), errors: z.array(z.unknown()).max(100).optional() });
const kept = new Map([[400, "bad_request"], [404, "not_found"], [409, "conflict"], [422, "validation_failed"]] as const);

/**
 * NFlow's refusal in our words: 400, 404, 409 and 422 keep their status, 412 asks for a step over there, 403 is the person's
 * missing right there, everything else is the engine's failure (contract section 7). Reads the body.
 */
export async function upstreamFailure(answer: UpstreamAnswer): Promise<SluiceError> {
  const parsed = NflowErrors.safeParse(await readJson(answer, 100_000).catch(() => null));
  const said = parsed.success ? parsed.data : {};
  const upstreamErrors = (said.errors ?? []).map((item) => (typeof item === "string" ? scrub(item).slice(0, 500) : item));
  const extra = { ...(said.refId && { refId: said.refId }), ...(upstreamErrors.length > 0 && { upstreamErrors: upstreamErrors.map(withoutTrace) }) };
  const words = upstreamErrors.filter((item): item is string => typeof item === "string").join(", ");
  const detail = (text: string) => (words ? `${text} NFlow says: ${words}.` : text);
  const code = kept.get(answer.status as 400);
  if (code === "validation_failed") return new SluiceError(code, detail("NFlow refuses the input."), { extra, errors: [{ pointer: "", detail: words || "refused by NFlow" }] });
  if (code) return new SluiceError(code, detail(code === "not_found" ? "NFlow does not know this." : "NFlow refuses this."), { extra });
  if (answer.status === 412) return new SluiceError("upstream_action_required", "NFlow needs a step in its own interface first.", { extra });
  if (answer.status === 403) return new SluiceError("upstream_forbidden", "NFlow does not allow you this.", { extra });
  return new SluiceError("upstream_error", `NFlow failed (${answer.status}).`, { extra, ...retryAfter(answer.headers) });
}

/** The 412 form carries a step for the user; traces of development mode are never shown. */
function withoutTrace(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { trace: _trace, tracePayload: _payload, ...rest } = item as Record<string, unknown>;
  return rest;
}

export function retryAfter(headers: Record<string, string>): { retryAfterSeconds?: number } {
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterSeconds: Math.min(seconds, 86_400) } : {};
}
