const words: Record<string, { title: string; text: string }> = {
  AccessDenied: { title: "Keycloak did not let you in", text: "You cancelled, declined the terms, or your account may not use this portal. Try again, or ask your administrator." },
  Configuration: { title: "Signing in did not work", text: "Try again. If it still fails, tell your administrator when it happened; the portal’s log has the cause." },
  OAuthCallbackError: { title: "Signing in was interrupted", text: "Keycloak’s answer came too late or was incomplete. Try again." },
  CallbackRouteError: { title: "Signing in was interrupted", text: "Keycloak’s answer came too late or was incomplete. Try again." },
  InvalidCheck: { title: "Please start again", text: "This sign-in was already used or is too old. Your page is kept." },
  SessionRequired: { title: "Please sign in", text: "The page that you asked for needs you to be signed in." },
  client_refused: { title: "Keycloak refused the portal", text: "Nobody can sign in for now. Ask your administrator to check KEYCLOAK_CLIENT_ID and KEYCLOAK_CLIENT_SECRET." },
  token_refused: { title: "Keycloak’s answer could not be verified", text: "If Keycloak has just changed its signing key, try again in half a minute. If it still fails, ask your administrator to run the doctor command." },
  session_expired: { title: "Your session has ended", text: "Sign in again to go on where you were." },
  store_unavailable: { title: "The portal’s store does not answer", text: "Nobody can sign in until it is back. Whoever is signed in stays so." },
};

/** Plain words for `?error=`; whatever else stands there is never shown. */
export function signInError(code: unknown): { title: string; text: string } | null {
  if (typeof code !== "string" || code === "") return null;
  return (Object.hasOwn(words, code) ? words[code] : undefined) ?? { title: "Signing in did not work", text: "Try again. If it stays like this, tell your administrator when it happened." };
}
