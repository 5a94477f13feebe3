import type { Context } from "@/lib/access";
import { notFound } from "@/lib/platform/errors";
import { endSession } from "./end-session";
import { endSessionById, endSessionsOf } from "./end-sessions";
import { liveSessions, requireBrowser } from "./list-sessions";
import { keycloakNow } from "./marks";
import type { SessionMeta } from "./record";
import type { SignOutSessionInput } from "./schemas";

/**
 * Signs another browser of the caller out. Keycloak's own session lives on there, so the next sign-in from there asks for the
 * password again; unless it is this browser's too, which goes on.
 * @throws SluiceError `not_found` for a session that is over or somebody else's.
 */
export async function signOutSession(ctx: Context, { id }: SignOutSessionInput): Promise<{ ended: number }> {
  const { handle } = requireBrowser(ctx);
  const living = await liveSessions(ctx);
  const meant = living.find((one) => one.id === id);
  if (!meant || id === handle.sessionId) throw notFound("There is no such session.");
  return { ended: await end(ctx, [meant], living) };
}

/** Signs every other browser of the caller out. */
export async function signOutOthers(ctx: Context): Promise<{ ended: number }> {
  const { handle } = requireBrowser(ctx);
  const living = await liveSessions(ctx);
  return { ended: await end(ctx, living.filter((one) => one.id !== handle.sessionId), living) };
}

/**
 * Signs every browser of the caller out, this one with Keycloak's session.
 * @returns where to send the browser, as `endSession` does.
 */
export async function signOutEverywhere(ctx: Context): ReturnType<typeof endSession> {
  const { person, handle } = requireBrowser(ctx);
  const own = (await liveSessions(ctx)).find((one) => one.id === handle.sessionId);
  await signOutOthers(ctx);
  const left = await endSession(handle, ctx);
  // A sign-in that was under way meanwhile is over with the rest.
  await endSessionsOf({ iss: person.issuer, sub: person.sub }, "signed_out_elsewhere", { by: ctx, ...(own && { notBefore: keycloakNow(own.meta) }) });
  return left;
}

async function end(ctx: Context, sessions: { id: string; meta: SessionMeta }[], living: { id: string; meta: SessionMeta }[]): Promise<number> {
  const { handle } = requireBrowser(ctx);
  const here = living.find((one) => one.id === handle.sessionId)?.meta.kc_sid;
  let ended = 0;
  for (const { id, meta } of sessions) ended += (await endSessionById(id, "signed_out_elsewhere", { by: ctx, ...(meta.kc_sid !== here && { askAgain: meta }) })) ? 1 : 0;
  return ended;
}
