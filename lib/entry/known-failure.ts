import { isDatabaseDown } from "@/lib/platform/db";
import { isSluiceError, storeUnavailable } from "@/lib/platform/errors";
import { isRedisDown } from "@/lib/platform/redis";

/** Verbs let the errors of a store travel: one that is away or overrun is `store_unavailable` at every door. Everything else stays as it is. */
export function knownFailure(error: unknown): unknown {
  return !isSluiceError(error) && (isDatabaseDown(error) || isRedisDown(error)) ? storeUnavailable(error) : error;
}
