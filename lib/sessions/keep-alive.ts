import type { SessionHandle } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { isSluiceError } from "@/lib/platform/errors";
import { logger } from "@/lib/platform/logger";
import { unfinished } from "@/lib/platform/unfinished";
import type { SessionMeta } from "./record";
import { refreshSession } from "./refresh";

/** The least time between two renewals. A realm may end idle sessions after a minute. */
const restMs = 5_000;

/**
 * Keycloak ends its session when nobody renews tokens for its idle time, and reading one's keys here renews none. So while
 * somebody is here, tokens are renewed once a quarter of that time is over; beside the request, which does not wait for it.
 */
export function keepAlive(handle: SessionHandle, meta: SessionMeta): void {
  if (meta.kc_exp === 0) return;
  const renewedAt = Math.max(meta.created, meta.refreshed_at);
  if (now() - renewedAt < Math.max(restMs, (meta.kc_exp - renewedAt) / 4)) return;
  unfinished(refreshSession(handle, meta.gen).then(() => undefined, (error: unknown) => {
    if (!isSluiceError(error)) logger.error({ err: error, sessionId: handle.sessionId }, "a session was not renewed");
  }));
}
