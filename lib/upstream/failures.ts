import { errors as undiciErrors } from "undici";
import { SluiceError } from "@/lib/platform/errors";
import type { UpstreamRequest } from "./call-upstream";
import { nameOf } from "./whose-token";

/** Reads, and searches by POST: asking again changes nothing. */
export function isIdempotent(request: Pick<UpstreamRequest, "method" | "template">): boolean {
  return request.method === "GET" || request.template.endsWith("/search");
}

/** Whether the connection broke, as opposed to its never having been made or being slow. */
export function isLostConnection(error: unknown): boolean {
  return error instanceof undiciErrors.SocketError || (error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE"));
}

/** Errors of the wire in our words, those of a body under way included. A caller who left is nobody's failure and travels as it is. */
export function translated(error: unknown, request: Pick<UpstreamRequest, "engine" | "signal">): unknown {
  if (request.signal?.aborted || error instanceof SluiceError) return error;
  const engine = nameOf(request.engine);
  const isLate = error instanceof undiciErrors.HeadersTimeoutError || error instanceof undiciErrors.BodyTimeoutError || (error instanceof Error && error.name === "TimeoutError");
  if (isLate) return new SluiceError("upstream_timeout", `${engine} did not answer in time.`, { cause: error });
  return new SluiceError("upstream_error", isLostConnection(error) ? `${engine} broke off its answer.` : `${engine} cannot be reached.`, { cause: error });
}
