const words: Record<string, { title: string; text: string }> = {
  AccessDenied: { title: "Keycloak did not let you in", text: "You may have cancelled, or your account may not be allowed to use this portal." },
  Configuration: { title: "Signing in did not work", text: "The portal and the identity service could not agree. Try again; if it stays like this, tell your administrator." },
  OAuthCallbackError: { title: "Signing in was interrupted", text: "The answer of the identity service came too late or was not complete. Try again." },
  CallbackRouteError: { title: "Signing in was interrupted", text: "The answer of the identity service came too late or was not complete. Try again." },
  InvalidCheck: { title: "Signing in took too long", text: "It was started in another tab or a while ago. Start again here." },
  SessionRequired: { title: "Please sign in", text: "The page that you asked for needs you to be signed in." },
  session_expired: { title: "Your session has ended", text: "Sign in again to go on where you were." },
  store_unavailable: { title: "The portal’s store does not answer", text: "Nobody can sign in until it is back. Whoever is signed in stays so." },
};

/** Plain words for `?error=`; whatever else stands there is never shown. */
export function signInError(code: unknown): { title: string; text: string } | null {
  if (typeof code !== "string" || code === "") return null;
  return (Object.hasOwn(words, code) ? words[code] : undefined) ?? { title: "Signing in did not work", text: "Try again. If it stays like this, tell your administrator when it happened." };
}
