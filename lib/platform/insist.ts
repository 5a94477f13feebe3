import { setTimeout as sleep } from "node:timers/promises";
import { isDatabaseDown } from "./db";
import { isSluiceError } from "./errors";

const everyMs = 50;

/**
 * Writes what exists nowhere else, such as a token that was just rotated: a store that hiccups or fails over is asked again for
 * some seconds. Only for writes that may be made twice. @throws what the last try threw
 */
export async function insist<T>(write: () => Promise<T>, forMs = 4000): Promise<T> {
  const deadline = performance.now() + forMs;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if ((!isSluiceError(error, "store_unavailable") && !isDatabaseDown(error)) || performance.now() > deadline) throw error;
      await sleep(everyMs);
    }
  }
}
