import "server-only";

// Nothing here imports Next.js: the API's process uses it too. Auth.js itself is in `lib/sessions/auth`.
export { findSession, type Session } from "./find-session";
export { renewRole } from "./renew-role";
export { findSessionEnd, isSignInEnded, refuseEndedSession } from "./is-ended";
export { getSessionToken, type UpstreamToken } from "./get-session-token";
export { endSession } from "./end-session";
export { endKeycloakSession, endSessionById, endSessionsOf, type Subject } from "./end-sessions";
export { measureSessions, type SessionCount } from "./measure-sessions";
export { countSessionsOf, listSessions } from "./list-sessions";
export { signOutEverywhere, signOutOthers, signOutSession } from "./sign-out-sessions";
export type { Audience } from "./record";
export { type Caller, recordFailedSignIn } from "./audit";
