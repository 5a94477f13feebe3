import { SluiceError } from "@/lib/platform/errors";
import { readText, retryAfter, type UpstreamAnswer } from "@/lib/upstream";

/** Flowise answers a wrong key with 500 (or a frame) and these words; its texts stay in the log. */
export function isUnauthorized(text: string): boolean {
  return /buildChatflow - Unauthorized/.test(text);
}

export function refusedByFlowise(text: string): SluiceError {
  return isUnauthorized(text)
    ? new SluiceError("upstream_unauthorised", "Flowise does not accept our credentials for this chatflow.", { cause: new Error(text.slice(0, 500)) })
    : new SluiceError("upstream_error", "The chatflow failed.", { cause: new Error(text.slice(0, 500)) });
}

/** For an answer that is no success. Reads the body. */
export async function flowiseFailure(answer: UpstreamAnswer): Promise<SluiceError> {
  const text = await readText(answer, 100_000).catch(() => "");
  const failure = refusedByFlowise(`${answer.status} ${text}`);
  return new SluiceError(failure.code, answer.status === 429 ? "Flowise limits this chatflow. Try again later." : failure.detail, { cause: failure.options.cause, ...retryAfter(answer.headers) });
}
