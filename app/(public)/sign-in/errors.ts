const words: Record<string, { title: string; text: string }> = {
  AccessDenied: { title: "Keycloak did not let you in", text: "You cancelled, declined the terms, or your account may not use this portal. Try again, or ask your administrator." },
  Configuration: { title: "Signing in did not work", text: "Try again in half a minute: the identity service may have just changed its signing key. If it still fails, ask your administrator to check KEYCLOAK_ISSUER, KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET." },
  OAuthCallbackError: { title: "Signing in was interrupted", text: "The answer of the identity service came too late or was not complete. Try again." },
  CallbackRouteError: { title: "Signing in was interrupted", text: "The answer of the identity service came too late or was not complete. Try again." },
  InvalidCheck: { title: "Please start again", text: "This sign-in was already used or is too old. Your page is kept." },
  SessionRequired: { title: "Please sign in", text: "The page that you asked for needs you to be signed in." },
  session_expired: { title: "Your session has ended", text: "Sign in again to go on where you were." },
  store_unavailable: { title: "The portal’s store does not answer", text: "Nobody can sign in until it is back. Whoever is signed in stays so." },
};

/** Plain words for `?error=`; whatever else stands there is never shown. */
export function signInError(code: unknown): { title: string; text: string } | null {
  if (typeof code !== "string" || code === "") return null;
  return (Object.hasOwn(words, code) ? words[code] : undefined) ?? { title: "Signing in did not work", text: "Try again. If it stays like this, tell your administrator when it happened." };
}
