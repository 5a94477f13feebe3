import { compactVerify, decodeProtectedHeader, errors } from "jose";
import { z } from "zod";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { type KeycloakClient, keycloakClientOf } from "@/lib/platform/keycloak";
import { keycloakDate, realmKey } from "@/lib/platform/keycloak-discovery";
import { signatureAlgorithms } from "@/lib/platform/signature-algorithms";

/** Who was signed out, as Keycloak says it. `clients` are those of ours that the token was made for. */
export type LogoutToken = { issuer: string; clients: KeycloakClient[]; sub: string | null; sid: string | null; jti: string; /** Seconds of Keycloak's clock. */ issuedAt: number; expiresAt: number; revokesOffline: boolean };

const toleranceSeconds = 60;
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout";

const name = z.string().min(1).max(255);
const Events = z.looseObject({ [logoutEvent]: z.looseObject({}) });
const Claims = z.record(z.string(), z.unknown());

function refused(why: string, cause?: unknown): SluiceError {
  return new SluiceError("bad_request", `The logout token is not valid: ${why}.`, { cause });
}

/**
 * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6): algorithm and type, signature, issuer, audience,
 * times, event, whom it names, no nonce. Whether it came before is asked later, when it is acted on.
 *
 * @throws SluiceError `bad_request` naming what is wrong; `identity_unavailable` when the realm's keys were never read.
 */
export async function verifyLogoutToken(jws: string): Promise<LogoutToken> {
  requireHeader(jws);
  const claims = await signedClaims(jws);
  if (claims.iss !== env().KEYCLOAK_ISSUER) throw refused("another issuer");
  const clients = [claims.aud].flat().flatMap((aud) => (typeof aud === "string" ? (keycloakClientOf(aud) ?? []) : []));
  if (clients.length === 0) throw refused("made for somebody else");
  const { iat, exp } = timesOf(claims);
  const events = Events.safeParse(claims.events);
  if (!events.success) throw refused("it does not tell of a sign-out");
  const sub = nameOf(claims.sub, "sub");
  const sid = nameOf(claims.sid, "sid");
  if (sub === null && sid === null) throw refused("it names neither a person nor a session");
  // What an ID token has and a logout token must not, so that one cannot pass for the other.
  if ("nonce" in claims) throw refused("it has a nonce");
  const jti = nameOf(claims.jti, "jti");
  if (jti === null) throw refused("it has no id");
  return { issuer: claims.iss, clients, sub, sid, jti, issuedAt: iat, expiresAt: exp, revokesOffline: (claims.events as Record<string, unknown>).revoke_offline_access === true };
}

/** Keys of the realm never speak HMAC, and `none` is nobody's word: what is not listed is refused before a key is looked for. */
function requireHeader(jws: string): void {
  let header;
  try {
    header = decodeProtectedHeader(jws);
  } catch (cause) {
    throw refused("it cannot be read", cause);
  }
  if (!signatureAlgorithms.includes(header.alg ?? "")) throw refused("an algorithm that is not accepted");
  if (header.typ !== undefined && !["logout+jwt", "jwt"].includes(String(header.typ).toLowerCase().replace(/^application\//, ""))) throw refused("another kind of token");
}

async function signedClaims(jws: string): Promise<z.output<typeof Claims>> {
  try {
    const { payload } = await compactVerify(jws, realmKey, { algorithms: signatureAlgorithms });
    return Claims.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof SyntaxError || error instanceof z.ZodError) throw refused("its signature does not hold", error);
    throw error;
  }
}

function timesOf({ iat, exp }: z.output<typeof Claims>): { iat: number; exp: number } {
  const times = z.object({ iat: z.number().nonnegative(), exp: z.number().nonnegative() }).safeParse({ iat, exp });
  if (!times.success) throw refused("it does not say when it was made, or until when it holds");
  const at = keycloakDate().getTime() / 1000;
  if (times.data.iat > at + toleranceSeconds) throw refused("it was made in the future");
  if (times.data.exp <= at - toleranceSeconds) throw refused("it is over");
  return times.data;
}

function nameOf(value: unknown, claim: string): string | null {
  if (value === undefined || value === null) return null;
  const found = name.safeParse(value);
  if (!found.success) throw refused(`its ${claim} cannot be read`);
  return found.data;
}
