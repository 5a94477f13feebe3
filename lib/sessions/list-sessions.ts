import { type Context, type Person, type SessionHandle } from "@/lib/access";
import { now } from "@/lib/platform/clock";
import { SluiceError } from "@/lib/platform/errors";
import { deviceWords, openDevice } from "./device";
import type { Subject } from "./end-sessions";
import { isKilled, killFactsOf, readKillMarks } from "./marks";
import type { SessionMeta } from "./record";
import type { SessionView } from "./schemas";
import { readSessionsOf } from "./session-limit";
import { isTimedOut } from "./store";

/** @throws SluiceError `insufficient_permission` for keys and tokens: what they hold is no business of sessions. */
export function requireBrowser(ctx: Context): { person: Person; handle: SessionHandle } {
  const { actor } = ctx;
  if (actor.type !== "user" || actor.credential.kind !== "session") throw new SluiceError("insufficient_permission", "Sessions are seen and ended in the browser.");
  return { person: actor.person, handle: actor.credential.session };
}

/** The caller's live sessions: this one first, then the one that was used last. */
export async function listSessions(ctx: Context): Promise<SessionView[]> {
  const { handle } = requireBrowser(ctx);
  const living = await liveSessions(ctx);
  return living
    .map(({ id, meta }) => viewOf(id, meta, handle.sessionId))
    .sort((a, b) => Number(b.isThis) - Number(a.isThis) || b.lastSeenAt.localeCompare(a.lastSeenAt));
}

export function liveSessions(ctx: Context): Promise<LiveSession[]> {
  const { person } = requireBrowser(ctx);
  return liveSessionsOf({ iss: person.issuer, sub: person.sub });
}

type LiveSession = { id: string; meta: SessionMeta };

async function liveSessionsOf(who: Subject): Promise<LiveSession[]> {
  const all = await readSessionsOf(who);
  const at = now();
  const marked = await Promise.all(all.map(async ({ meta }) => isKilled(await readKillMarks(killFactsOf(meta)), meta)));
  return all.filter(({ meta }, i) => !marked[i] && !isTimedOut(meta, at));
}

/** How many sessions a person has now, for a verb that has asked for its own permission. @throws SluiceError `store_unavailable` */
export async function countSessionsOf(who: Subject): Promise<number> {
  return (await liveSessionsOf(who)).length;
}

function viewOf(id: string, meta: SessionMeta, ownId: string): SessionView {
  const { ip, userAgent } = openDevice(id, meta);
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    id, isThis: id === ownId, device: deviceWords(userAgent), address: ip, method: methodWords(meta),
    signedInAt: iso(meta.created), lastSeenAt: iso(meta.last_seen), endsAt: iso(Math.min(meta.abs_exp, meta.last_seen + meta.idle_s * 1000)),
  };
}

const secondFactors = new Set(["otp", "totp", "mfa", "hwk", "swk", "webauthn", "sms", "recovery"]);

/** Only what Keycloak says. Without `amr` it tells no more than whether it asked (`acr` 1) or knew the person already (0). */
function methodWords({ amr, acr }: SessionMeta): string {
  const methods = amr.split(" ").filter(Boolean);
  const hasSecond = methods.some((method) => secondFactors.has(method)) || Number(acr) >= 2;
  if (methods.includes("pwd") || methods.includes("password")) return hasSecond ? "Password and second factor" : "Password";
  if (hasSecond) return "With a second factor";
  return acr === "0" ? "Carried over from Keycloak" : "At Keycloak";
}
