import { z } from "zod";
import type { SessionHandle } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { now } from "@/lib/platform/clock";
import { randomToken } from "@/lib/platform/crypto";
import { transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { keycloakClient, type TokenSet, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { type Caller, personContext } from "./audit";
import { type Envelope, handleOf } from "./cookie";
import { refuseKilled } from "./marks";
import { type SessionMeta, sealFor } from "./record";
import { removeSession, writeSession } from "./store";

const Facts = z.object({ sid: z.string().max(255).optional(), auth_time: z.number().optional(), iat: z.number(), acr: z.string().max(100).optional(), amr: z.array(z.string().max(50)).max(10).optional() });

/**
 * Makes the session of somebody who just signed in. Roles come from the access token, after its own signature was
 * verified; the ID token's claims say when and how they proved who they are.
 *
 * @returns the cookie's whole content. Without a stored record there is none: every failure here is a failed sign-in.
 * @throws SluiceError `invalid_credentials`, `session_expired` when Keycloak ended this sign-in meanwhile, `store_unavailable`, `identity_unavailable`
 */
export async function createSession(tokens: TokenSet, caller: Caller): Promise<Envelope> {
  const { refreshToken, idToken } = tokens;
  if (!refreshToken || !idToken) throw new SluiceError("invalid_credentials", "Keycloak gave no refresh or ID token.");
  const claims = await verifyKeycloakToken(tokens.accessToken);
  const idClaims = await verifyKeycloakToken(idToken, { use: "id", audience: keycloakClient("web").id });
  if (claims.sub !== idClaims.sub) throw new SluiceError("invalid_credentials", "Keycloak's tokens name two different people.");
  const { person } = await rememberPerson(identityOf(claims));
  const facts = Facts.parse(idClaims);

  const envelope: Envelope = { h: randomToken(32), k: randomToken(32), v: 1 };
  const handle: SessionHandle = handleOf(envelope);
  const created = now();
  const meta: SessionMeta = {
    iss: person.issuer, sub: person.sub, uid: person.userId, kc_sid: facts.sid ?? "", org: person.tenant,
    login_iat: facts.iat, auth_time: facts.auth_time ?? facts.iat, acr: facts.acr ?? "", amr: (facts.amr ?? []).join(" "),
    created, last_seen: created, abs_exp: created + env().SESSION_ABSOLUTE_SECONDS * 1000, idle_s: env().SESSION_IDLE_SECONDS,
    gen: 1, at_exp: tokens.expiresAt, refreshed_at: 0, state: "active", dead_reason: "", inflight: "", backoff_until: 0,
  };
  await refuseKilled(meta);
  const blob = sealFor(handle, "t", meta.gen, meta.sub, {
    at: tokens.accessToken, atExp: tokens.expiresAt, lifeS: tokens.expiresInSeconds, rt: refreshToken, rtExp: tokens.refreshExpiresAt, idt: idToken, scope: tokens.scope,
  });
  await writeSession(handle, meta, blob);
  try {
    await transaction((tx) => recordAudit(tx, personContext(person, handle, caller), { action: "session.created", target: { type: "session", id: handle.sessionId }, data: { acr: meta.acr } }));
  } catch (error) {
    await removeSession(handle.sessionId, meta);
    throw error;
  }
  return envelope;
}
