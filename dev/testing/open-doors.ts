/** What is open on purpose. A page, action or handler that goes through no door and is not named here turns the build red. */

/** Show nothing of anybody, or only what the visitor's own request brought along. */
export const openPages = ["/", "/sign-in", "/signed-out", "/no-access", "/identity-unavailable", "/status", "/docs", "/docs/keys", "/docs/reference", "/docs/errors", "/docs/errors/[code]"];

/** Signing in and out: who calls them is not known yet, or soon not any more. They refuse a foreign `Origin` themselves. */
export const openActions = ["signInAction", "signOutAction", "signOutEverywhereAction"];

/**
 * The API, which has doors of its own for every route (its back-channel logout beside Auth.js); Auth.js; two ways to Keycloak and back,
 * which look for the session themselves and change nothing; and what works right now.
 */
export const openHandlers = ["/api/[...path]", "/api/auth/[...nextauth]", "/api/auth/account", "/api/auth/backchannel-logout", "/api/auth/confirm", "/status/state"];
