/**
 * One signal for a deadline and for a caller who leaves. `letGo` when the call is over: thousands of calls a second must not
 * leave an hour's timer and a listener behind each.
 */
export function leash(totalMs: number, gone?: AbortSignal): { signal: AbortSignal; letGo: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException("The deadline has passed.", "TimeoutError")), totalMs).unref();
  const leave = () => controller.abort(gone?.reason);
  if (gone?.aborted) leave();
  else gone?.addEventListener("abort", leave, { once: true });
  return {
    signal: controller.signal,
    letGo() {
      clearTimeout(timer);
      gone?.removeEventListener("abort", leave);
    },
  };
}
