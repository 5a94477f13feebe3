import { randomUUID } from "node:crypto";
import { jobContext, type SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { equalSecrets } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { logger } from "@/lib/platform/logger";
import { findPersonState } from "@/lib/tenants";
import { recordSessionEnd } from "./audit";
import { sessionExpired } from "./marks";
import { openFor, type SessionMeta, SessionTokens, shareHash } from "./record";
import { markDead } from "./store";

/** Whether the caller has the cookie, and not just the session's id. */
export function holdsShare({ share }: SessionHandle, meta: SessionMeta): boolean {
  return meta.share_h !== "" && equalSecrets(shareHash(share), meta.share_h);
}

/**
 * Opens a session's tokens. A blob that does not open for the holder of the cookie was changed or moved by somebody with access
 * to the store: that session ends, loudly.
 * @throws SluiceError `session_expired`
 */
export async function openTokens(handle: SessionHandle, meta: SessionMeta, blob: string): Promise<SessionTokens> {
  const tokens = openFor(handle, "t", meta, blob, SessionTokens);
  if (tokens) return tokens;
  if (holdsShare(handle, meta)) await endTampered(handle.sessionId, meta);
  throw sessionExpired("the record does not open");
}

async function endTampered(id: string, meta: SessionMeta): Promise<void> {
  if (!(await markDead(id, meta.gen, "tampered"))) return;
  logger.error({ sessionId: id, userId: meta.uid }, "a session's tokens were changed in the store");
  try {
    const state = await findPersonState(meta.uid);
    await transaction((tx) => recordAudit(tx, jobContext("sessions", randomUUID()), {
      action: "session.tamper_detected", target: { type: "session", id }, data: { userId: meta.uid, generation: meta.gen }, ...(state && { tenantId: state.person.tenantId }),
    }));
    await recordSessionEnd(id, meta, "tampered");
  } catch (error) {
    logger.error({ err: error, sessionId: id }, "the end of a session was not recorded");
  }
}
