import { errors, type JWTPayload, jwtVerify } from "jose";
import { nowDate } from "./clock";
import { env } from "./env";
import { SluiceError } from "./errors";
import { keycloakDate, realmKey } from "./keycloak-discovery";
import { signatureAlgorithms } from "./signature-algorithms";

/** Two clocks seldom agree. What Keycloak has just handed us is good for as long as it says from then on; what a caller brings must not be old. */
const forgivenSeconds = { keycloak: 60, caller: 5 };

/**
 * Verifies a token of the realm: signature by the realm's keys, an allowed algorithm, issuer, times, and the audience where
 * one is named.
 * @param options.from who handed it to us, by which clocks may differ: a minute for Keycloak (the default), 5 s for a caller.
 * @param options.use an ID token names our client as its audience too, so it must not pass for an access token.
 * @throws SluiceError `token_expired`, `invalid_credentials`, or `identity_unavailable` when the keys were never read.
 */
export async function verifyKeycloakToken(jwt: string, options: { audience?: string; use?: "access" | "id"; from?: keyof typeof forgivenSeconds } = {}): Promise<JWTPayload> {
  const from = options.from ?? "keycloak";
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, realmKey, {
      algorithms: signatureAlgorithms, issuer: env().KEYCLOAK_ISSUER, audience: options.audience,
      clockTolerance: forgivenSeconds[from], requiredClaims: ["sub", "exp", "iat"],
      // Read after the signature: fetching the realm's keys is often what tells the difference between the clocks.
      get currentDate() { return from === "keycloak" ? keycloakDate() : nowDate(); },
    });
    const isIdToken = payload.typ === "ID" || (payload.typ !== "Bearer" && (payload.at_hash !== undefined || payload.nonce !== undefined));
    const isOther = ["Refresh", "Offline", "Logout"].includes(String(payload.typ)) || /logout/i.test(protectedHeader.typ ?? "");
    if (isOther || (options.use === "id") !== isIdToken) throw new SluiceError("invalid_credentials", "This is not the kind of token that is needed here.");
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new SluiceError("token_expired", "The token has expired.", { cause: error });
    if (error instanceof errors.JOSEError || error instanceof TypeError) throw new SluiceError("invalid_credentials", "The token is not valid.", { cause: error });
    throw error;
  }
}
