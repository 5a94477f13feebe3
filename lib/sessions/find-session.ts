import type { SessionHandle } from "@/lib/access";
import { readHandle } from "./cookie";
import { keepAlive } from "./keep-alive";
import type { SessionMeta } from "./record";
import { openSession } from "./store";

/** A live session. Instants are milliseconds of our clock, `authTime` and `idTokenIssuedAt` seconds of Keycloak's. */
export type Session = {
  handle: SessionHandle;
  userId: string;
  createdAt: number;
  lastSeenAt: number;
  absoluteEndAt: number;
  authTime: number;
  idTokenIssuedAt: number;
  acr: string;
  /** When they last proved who they are, as our clock had it. */
  provedAt: number;
  /** When the access token ends that the person's role was last read from, and which tokens it belongs to. */
  roleReadUntil: number;
  generation: number;
};

/** Keycloak's clock says how old the proof was at the sign-in, ours how long ago that is: a skew between the two cancels out. */
export function provedAtOf(meta: Pick<SessionMeta, "created" | "login_iat" | "auth_time">): number {
  return meta.created - Math.max(0, meta.login_iat - meta.auth_time) * 1000;
}

/**
 * The session that a `Cookie` header names. Says who it belongs to, not what they may: that is asked of the person's record.
 *
 * @returns null when the header carries no cookie of ours.
 * @throws SluiceError `session_expired` when the cookie names a session that is over; `store_unavailable`, which is not the same.
 */
export async function findSession(cookieHeader: string | null): Promise<Session | null> {
  const handle = await readHandle(cookieHeader);
  if (!handle) return null;
  const { meta } = await openSession(handle, "meta", { touch: true });
  keepAlive(handle, meta);
  return {
    handle, userId: meta.uid, createdAt: meta.created, lastSeenAt: meta.last_seen, absoluteEndAt: meta.abs_exp,
    authTime: meta.auth_time, idTokenIssuedAt: meta.login_iat, acr: meta.acr, provedAt: provedAtOf(meta),
    roleReadUntil: meta.at_exp, generation: meta.gen,
  };
}
