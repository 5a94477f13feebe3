import { now } from "@/lib/platform/clock";
import { isSluiceError } from "@/lib/platform/errors";
import { isTokenEndpointError } from "@/lib/platform/keycloak";
import { unlessFrozen } from "@/lib/platform/keycloak-patience";
import { logger } from "@/lib/platform/logger";
import type { Session } from "./find-session";
import { refreshSession } from "./refresh";

/**
 * Has Keycloak say anew what the person's role is, once the access token that said it last has ended: a role taken away there must not
 * outlive one access token where somebody administers or makes credentials. While Keycloak cannot be asked the last known role stands, as everywhere.
 *
 * @returns whether it was asked, and the person's record may say something else now.
 * @throws SluiceError `session_expired` when Keycloak has ended the session, `store_unavailable`
 */
export async function renewRole({ handle, roleReadUntil, generation }: Pick<Session, "handle" | "roleReadUntil" | "generation">): Promise<boolean> {
  if (roleReadUntil > now()) return false;
  try {
    await unlessFrozen(refreshSession(handle, generation));
    return true;
  } catch (error) {
    if (!isTokenEndpointError(error) && !isSluiceError(error, "auth_busy", "identity_unavailable")) throw error;
    logger.warn({ err: error, sessionId: handle.sessionId }, "Keycloak could not be asked for a person's role");
    return false;
  }
}
