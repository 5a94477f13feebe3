import { SluiceError } from "@/lib/platform/errors";
import { findSessionEnd, isSignInEnded } from "@/lib/sessions";

/**
 * What tokens end with, besides their family, key and owner: the portal session that they were obtained in (by the hash of its handle), or Keycloak's
 * session and sign-in (seconds of its clock) behind the token that they were obtained with.
 */
export type LeansOn = { sessionId?: string | undefined; signIn?: { kcSid: string | null; at: number } | undefined };

/** @throws SluiceError `invalid_credentials` when that has ended; `store_unavailable` when nobody can say. */
export async function refuseEnded(leansOn: LeansOn, person: { issuer: string; sub: string }): Promise<void> {
  if (leansOn.sessionId !== undefined && (await findSessionEnd(leansOn.sessionId)) === null) throw new SluiceError("invalid_credentials", "This token ended with the session that it was obtained in.");
  const { signIn } = leansOn;
  if (signIn && (await isSignInEnded({ issuer: person.issuer, sub: person.sub, kcSid: signIn.kcSid, signedInAt: signIn.at }))) throw new SluiceError("invalid_credentials", "This token ended with the sign-in at Keycloak that it was obtained by.");
}

/** As a family's row keeps it. */
export function leansOnOf(row: { sessionId: string | null; kcSid: string | null; kcAuthTime: number | null }): LeansOn {
  return { sessionId: row.sessionId ?? undefined, signIn: row.kcAuthTime === null ? undefined : { kcSid: row.kcSid, at: row.kcAuthTime } };
}
