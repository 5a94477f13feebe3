export type FailureWords = { title: string; text: string; canRetry: boolean };

const faces: Record<string, FailureWords> = {
  identity_unavailable: { title: "The identity service does not answer", text: "Keycloak cannot be reached at the moment. Your session is kept and nothing is lost. This page goes on by itself when Keycloak is back.", canRetry: true },
  auth_busy: { title: "The identity service is busy", text: "Too many people sign in at once. Try again in a moment.", canRetry: true },
  store_unavailable: { title: "The portal’s store does not answer", text: "Nothing can be read or changed until it is back. You are still signed in, and this page goes on by itself.", canRetry: true },
  insufficient_permission: { title: "You may not see this", text: "Your role does not allow it. Ask your administrator if you need it.", canRetry: false },
  session_expired: { title: "Your session has ended", text: "Sign in again to go on where you were.", canRetry: false },
  owner_disabled: { title: "Your access is switched off", text: "Ask your administrator.", canRetry: false },
};

/** What an error face says. `digest` is `sluice.<code>` for failures that have a name, else Next.js's number for the log. */
export function failureWords(digest: string | undefined): FailureWords {
  const code = digest?.startsWith("sluice.") ? digest.slice("sluice.".length) : "";
  return (Object.hasOwn(faces, code) ? faces[code] : undefined) ?? { title: "Something went wrong here", text: "This is our fault, not yours. Try again; if it stays like this, tell your administrator what you did.", canRetry: true };
}
