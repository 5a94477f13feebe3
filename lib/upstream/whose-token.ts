import type { Context } from "@/lib/access";
import { getOwnerToken } from "@/lib/grants";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { exchangeToken, isTokenEndpointError } from "@/lib/platform/keycloak";
import { unlessFrozen } from "@/lib/platform/keycloak-patience";
import { getSessionToken } from "@/lib/sessions";
import { getPersonState } from "@/lib/tenants";

export type Engine = "nflow" | "flowise";

/** What goes into `Authorization`, and the generation to name when the engine does not accept it; null where a refresh cannot help. */
export type EngineCredential = { bearer: string; generation: number | null; /** Whether Keycloak was asked for it just now. */ isNew?: true };

export function nameOf(engine: Engine): string {
  return engine === "nflow" ? "NFlow" : "Flowise";
}

export function audienceOf(engine: Engine): string {
  return engine === "nflow" ? env().NFLOW_AUDIENCE : env().FLOWISE_AUDIENCE;
}

/**
 * The person's access token for this engine alone (contract section 10): of the session for somebody who is signed in, of
 * the owner's grant for a key or a gateway token, a caller's own Keycloak token narrowed and never refreshed.
 *
 * @param asked.staleGeneration the one that the engine has just refused: forces a refresh unless somebody has refreshed since.
 * @param asked.boundKey used in place of the operator's key, never in place of a person's token.
 */
export async function credentialFor(ctx: Context, engine: Engine, { staleGeneration, boundKey }: { staleGeneration?: number; boundKey?: string } = {}): Promise<EngineCredential> {
  const { actor } = ctx;
  if (engine === "flowise" && (env().FLOWISE_AUTH === "service-key" || actor.type === "job")) return serviceKey(ctx, boundKey);
  const options = staleGeneration === undefined ? undefined : { staleGeneration };
  if (actor.type === "user" && actor.credential.kind === "session") {
    return engineCredential(await getSessionToken(actor.credential.session, engine, options));
  }
  if (actor.type === "user" && actor.credential.kind === "keycloak") return { bearer: await narrowed(actor.credential.token, engine), generation: null };
  if (actor.type === "user" || actor.type === "apiKey") {
    return engineCredential(await getOwnerToken(actor.person.userId, engine, options));
  }
  throw new SluiceError("upstream_forbidden", `${nameOf(engine)} is only called in the name of a person.`);
}

const engineCredential = ({ accessToken, generation, isNew }: { accessToken: string; generation: number; isNew?: true }): EngineCredential => ({ bearer: accessToken, generation, ...(isNew && { isNew }) });

/** The open-source Flowise cannot check a person's token; the key stands in, and the person must still be enabled. */
async function serviceKey(ctx: Context, boundKey?: string): Promise<EngineCredential> {
  const key = env().FLOWISE_API_KEY;
  if (!key) throw new SluiceError("upstream_unauthorised", "No FLOWISE_API_KEY is set.");
  if (ctx.actor.type === "apiKey" || ctx.actor.type === "user") {
    const state = await getPersonState(ctx.actor.person.userId);
    if (!state.isActive || !state.tenantIsActive) throw new SluiceError("owner_disabled", "The owner of these credentials is disabled.");
  }
  return { bearer: boundKey ?? key, generation: null };
}

async function narrowed(token: string, engine: Engine): Promise<string> {
  try {
    return (await unlessFrozen(exchangeToken("web", token, engine))).accessToken;
  } catch (error) {
    if (isTokenEndpointError(error, "refused", "invalid_grant")) throw new SluiceError("upstream_forbidden", "This token cannot be narrowed to the engine.", { cause: error });
    throw error;
  }
}
