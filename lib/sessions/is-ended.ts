import { isSluiceError } from "@/lib/platform/errors";
import { refuseKilled } from "./marks";
import { openSession } from "./store";

/**
 * Whether a session still lives, for what was obtained in it; `sessionId` is the hash of its handle. Asking moves no time-out on: a program's
 * calls are not the person's presence. @returns its absolute end in ms, or null. @throws SluiceError `store_unavailable`
 */
export async function findSessionEnd(sessionId: string): Promise<number | null> {
  return unlessEnded(openSession({ sessionId, share: "" }, "meta", { touch: false }).then(({ meta }) => meta.abs_exp));
}

/**
 * Whether a sign-in at Keycloak counts as ended, as far as we were told: its SSO session was, or the person was signed out everywhere in its second or
 * later. `signedInAt` is seconds of Keycloak's clock. @throws SluiceError `store_unavailable`
 */
export async function isSignInEnded(signIn: { issuer: string; sub: string; kcSid: string | null; signedInAt: number }): Promise<boolean> {
  const { issuer: iss, sub, kcSid, signedInAt } = signIn;
  return (await unlessEnded(refuseKilled({ iss, sub, kc_sid: kcSid ?? "", auth_time: signedInAt, login_iat: signedInAt }).then(() => true))) === null;
}

/** For a call that came with this session, asked again later. @throws SluiceError `session_expired`; `store_unavailable` */
export async function refuseEndedSession(sessionId: string): Promise<void> {
  await openSession({ sessionId, share: "" }, "meta", { touch: false });
}

async function unlessEnded<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isSluiceError(error, "session_expired")) return null;
    throw error;
  }
}
