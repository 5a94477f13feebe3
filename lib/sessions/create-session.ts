import { z } from "zod";
import type { Person, SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { keycloakClient, type TokenSet, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { type Caller, personContext, recordFailedSignIn } from "./audit";
import { type Envelope, handleOf } from "./cookie";
import { sealDevice } from "./device";
import { refuseKilled } from "./marks";
import type { Purpose } from "./purpose";
import { kidOf, type SessionMeta, sealFor, shareHash } from "./record";
import { keepWithinLimit } from "./session-limit";
import { removeSession, writeSession } from "./store";

export type Created = { envelope: Envelope; outcome: "signed_in" | "confirmed" | "somebody_else" };

const Facts = z.object({ sid: z.string().max(255).optional(), auth_time: z.number().optional(), iat: z.number(), acr: z.string().max(100).optional(), amr: z.array(z.string().max(50)).max(10).optional() });

/**
 * Makes the session of somebody who just signed in. Roles come from the access token, after its own signature was
 * verified; the ID token's claims say when and how they proved who they are.
 *
 * @param purpose what the browser was sent to Keycloak for, if for more than signing in.
 * @param replacedId the session that the browser has until now; the caller ends it afterwards.
 * @returns the cookie's whole content. Without a stored record there is none: every failure here is a failed sign-in.
 * @throws SluiceError `invalid_credentials`, `step_up_required` when the proof of who they are is older than was asked for, `session_expired` when Keycloak ended this sign-in meanwhile, `store_unavailable`, `identity_unavailable`
 */
export async function createSessionFor(purpose: Purpose | null, tokens: TokenSet, caller: Caller, replacedId: string | null = null): Promise<Created> {
  const { refreshToken, idToken } = tokens;
  if (!refreshToken || !idToken) throw new SluiceError("invalid_credentials", "Keycloak gave no refresh or ID token.");
  const claims = await verifyKeycloakToken(tokens.accessToken);
  const idClaims = await verifyKeycloakToken(idToken, { use: "id", audience: keycloakClient("web").id });
  if (claims.sub !== idClaims.sub) throw new SluiceError("invalid_credentials", "Keycloak's tokens name two different people.");
  const { person } = await rememberPerson(identityOf(claims));
  try {
    return await makeSession(person, purpose, { ...tokens, refreshToken }, Facts.parse(idClaims), { caller, replacedId });
  } catch (error) {
    if (isSluiceError(error, "step_up_required", "session_expired")) await recordFailedSignIn(caller, { by: "browser", reason: error.code, known: { id: person.userId, tenantId: person.tenantId } });
    throw error;
  }
}

async function makeSession(person: Person, purpose: Purpose | null, tokens: TokenSet & { refreshToken: string }, facts: z.infer<typeof Facts>, { caller, replacedId }: { caller: Caller; replacedId: string | null }): Promise<Created> {
  const outcome = outcomeOf(purpose, person.userId, facts);
  const envelope: Envelope = { h: randomToken(32), k: randomToken(32), v: 1 };
  const handle: SessionHandle = handleOf(envelope);
  const created = now();
  const meta: SessionMeta = {
    iss: person.issuer, sub: person.sub, uid: person.userId, kc_sid: facts.sid ?? "", org: person.tenant,
    login_iat: facts.iat, auth_time: facts.auth_time ?? facts.iat, acr: facts.acr ?? "", amr: (facts.amr ?? []).join(" "),
    created, last_seen: created, abs_exp: created + env().SESSION_ABSOLUTE_SECONDS * 1000, idle_s: env().SESSION_IDLE_SECONDS,
    kid: "", share_h: shareHash(handle.share), device: sealDevice(handle.sessionId, person.sub, caller), kc_exp: tokens.refreshExpiresAt ?? 0,
    gen: 1, at_exp: tokens.expiresAt, refreshed_at: 0, state: "active", dead_reason: "", inflight: "", backoff_until: 0,
  };
  await refuseKilled(meta);
  const blob = sealFor(handle, "t", meta.gen, meta.sub, {
    at: tokens.accessToken, atExp: tokens.expiresAt, lifeS: tokens.expiresInSeconds, rt: tokens.refreshToken, rtExp: tokens.refreshExpiresAt, scope: tokens.scope,
  });
  await writeSession(handle, { ...meta, kid: kidOf(blob) }, blob);
  try {
    await transaction((tx) => recordAudit(tx, personContext(person, handle, caller), { action: "session.created", target: { type: "session", id: handle.sessionId }, data: { acr: meta.acr, ...(outcome === "confirmed" && { confirmed: true }) } }));
  } catch (error) {
    await removeSession(handle.sessionId, meta);
    throw error;
  }
  metrics.sessionCreated.inc({ reason: outcome === "confirmed" ? "confirmed" : "sign_in" });
  await keepWithinLimit(handle.sessionId, meta, replacedId).catch((error: unknown) => logger.error({ err: error, userId: meta.uid }, "a person's sessions were not kept within their limit"));
  return { envelope, outcome };
}

/** A plain sign-in. */
export async function createSession(tokens: TokenSet, caller: Caller): Promise<Envelope> {
  return (await createSessionFor(null, tokens, caller)).envelope;
}

/** Keycloak may be a second ahead of itself between two servers of a cluster. */
const clockToleranceSeconds = 5;

/**
 * Whether somebody did what they were sent to Keycloak for. `auth_time` decides and not `acr`: Keycloak answers a level that it does
 * not know with 1 and no error. Both times are Keycloak's. Who comes back as somebody else has simply signed in.
 */
function outcomeOf(purpose: Purpose | null, userId: string, facts: z.infer<typeof Facts>): Created["outcome"] {
  if (purpose?.kind !== "confirm") return "signed_in";
  if (purpose.userId !== userId) return "somebody_else";
  const age = facts.auth_time === undefined ? Infinity : facts.iat - facts.auth_time;
  if (age > purpose.maxAgeSeconds + clockToleranceSeconds) throw new SluiceError("step_up_required", "Keycloak did not ask who you are, or that was too long ago.");
  return "confirmed";
}
