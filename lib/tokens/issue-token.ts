import { type Context, permissionMask, permissionsOf, requireFreshFor, requirePerson } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { requireNarrower } from "@/lib/keys";
import { now } from "@/lib/platform/clock";
import { transaction } from "@/lib/platform/db";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { newId } from "@/lib/platform/ids";
import { metrics } from "@/lib/platform/metrics";
import { findSessionEnd } from "@/lib/sessions";
import { addFamily, type Origin } from "./family";
import type { LeansOn } from "./leans-on";
import type { IssueTokenInput, TokenPair } from "./schemas";
import { pairOf } from "./token-answer";

type Source = { origin: Origin; apiKeyId: string | null; secretGeneration?: number | undefined; leansOn: LeansOn; endsAtMs?: number | undefined };

/**
 * A pair of short-lived tokens for whoever calls with an API key, a Keycloak token or in a session, as narrow as asked for and never wider than the
 * caller. They end with what they were obtained with.
 *
 * @throws SluiceError `permission_escalation` for more than the caller has; `insufficient_permission` for a caller with a gateway token: tokens of tokens
 *   would live on after their own family has ended; `step_up_required` when an administrator's session that was proved too long ago asks for what administers.
 */
export async function issueToken(ctx: Context, input: IssueTokenInput): Promise<TokenPair> {
  const person = requirePerson(ctx);
  const source = await sourceOf(ctx);
  requireNarrower(ctx, input);
  const permissions = input.permissions ? permissionMask(input.permissions) & ctx.permissions : ctx.permissions;
  // What a person does in a session may grow with their role, as the session does; anything else keeps to what it could do now.
  const carried = source.origin === "session" && !input.permissions ? ["*"] : (input.permissions ?? permissionsOf(permissions));
  requireFreshFor(ctx, permissions);
  const family = { id: newId(), ...source, chatflowIds: input.chatflowIds ?? [] };

  const refreshToken = await transaction(async (tx) => {
    const token = await addFamily(tx, { ...family, person, permissions: carried }, ctx);
    await recordAudit(tx, ctx, { action: "token.issued", target: { type: "tokenFamily", id: family.id }, data: { by: source.origin, ...(input.permissions && { permissions: input.permissions }), ...(input.chatflowIds && { chatflowIds: input.chatflowIds }) } });
    return token;
  });
  metrics.tokenFamilies.inc({ event: "issued" });
  return pairOf({ person, permissions, family, refreshToken });
}

async function sourceOf({ actor }: Context): Promise<Source> {
  if (actor.type === "apiKey" && !actor.familyId) return { origin: "apiKey", apiKeyId: actor.apiKeyId, secretGeneration: actor.secretGeneration, leansOn: {} };
  if (actor.type === "user" && actor.credential.kind === "session") {
    const { sessionId } = actor.credential.session;
    const endsAtMs = await findSessionEnd(sessionId);
    if (endsAtMs === null) throw new SluiceError("session_expired", "Your session has ended. Sign in again.");
    return { origin: "session", apiKeyId: null, leansOn: { sessionId }, endsAtMs };
  }
  if (actor.type === "user" && actor.credential.kind === "keycloak") {
    // What tells us that a sign-in was ended is remembered for so long, and no longer.
    return { origin: "keycloak", apiKeyId: null, leansOn: { signIn: actor.credential.signIn }, endsAtMs: now() + env().SESSION_ABSOLUTE_SECONDS * 1000 };
  }
  throw new SluiceError("insufficient_permission", "Tokens are obtained with an API key, a Keycloak token or a session. Refresh this one instead.");
}
