import { encode } from "@auth/core/jwt";
import type { SessionHandle } from "@/lib/access";
import { env } from "@/lib/platform/env";
import type { TokenSet } from "@/lib/platform/keycloak";
import { type Caller, unknownCaller } from "./audit";
import { type Envelope, handleOf, sessionCookieName } from "./cookie";
import { createSession } from "./create-session";
import type { SessionMeta } from "./record";
import { findMeta } from "./store";

export type SignedIn = { envelope: Envelope; handle: SessionHandle; cookie: string; meta: SessionMeta };

/** For tests: a session made from tokens, with the `Cookie` header that a browser would send. */
export async function aSignIn(tokens: TokenSet, caller: Caller = unknownCaller()): Promise<SignedIn> {
  const envelope = await createSession(tokens, caller);
  const name = sessionCookieName();
  const cookie = `other=1; ${name}=${await encode({ token: { ...envelope }, secret: env().AUTH_SECRET, salt: name, maxAge: 3600 })}`;
  const handle = handleOf(envelope);
  const meta = await findMeta(handle.sessionId);
  if (!meta) throw new Error("the sign-in left no record");
  return { envelope, handle, cookie, meta };
}
