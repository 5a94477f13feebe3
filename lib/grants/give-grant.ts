import * as oidc from "openid-client";
import { z } from "zod";
import type { Context, Person, SessionHandle } from "@/lib/access";
import { randomToken, seal, sha256Base64url, UnsealError, unseal } from "@/lib/platform/crypto";
import { now } from "@/lib/platform/clock";
import { env } from "@/lib/platform/env";
import { ownPath } from "@/lib/platform/own-path";
import { SluiceError } from "@/lib/platform/errors";
import { sealingRing } from "@/lib/platform/key-rings";
import { identityUnavailable } from "@/lib/platform/keycloak-discovery";
import { keycloakClient, keycloakEndpoints, revokeToken, verifyKeycloakToken } from "@/lib/platform/keycloak";
import { logger } from "@/lib/platform/logger";
import { signatureAlgorithms } from "@/lib/platform/signature-algorithms";
import { withRedis } from "@/lib/platform/redis";
import { identityOf, rememberPerson } from "@/lib/tenants";
import { storeGrant } from "./store-grant";

/** One way through Keycloak. It lives in Redis under the hash of an id that only the browser's cookie knows, and opens with it. */
const Flow = z.object({ verifier: z.string(), state: z.string(), nonce: z.string(), returnTo: z.string(), sessionId: z.string(), sub: z.string(), silent: z.boolean().default(false) });
type Flow = z.infer<typeof Flow>;

export const flowSeconds = 600;
/** The owner must have proved who they are this recently, since what they give lasts long. */
const maxAgeSeconds = 300;
const scope = "openid offline_access";

const flowKey = (flowId: string) => `sl:gf:${sha256Base64url(flowId)}`;
const boundTo = (flowId: string) => ({ salt: flowId, info: "sluice/grant-flow/1", aad: sha256Base64url(flowId) });
const redirectUri = () => `${env().AUTH_URL}/api/owner-grant/callback`;

/** Without a list of its own the library takes RS256 alone for an ID token's signature. */
export async function serverOf(): Promise<oidc.ServerMetadata> {
  return { ...(await keycloakEndpoints()), id_token_signing_alg_values_supported: signatureAlgorithms };
}

async function oidcClient(): Promise<oidc.Configuration> {
  const { id, secret } = keycloakClient("machine");
  const config = new oidc.Configuration(await serverOf(), id, { [oidc.clockTolerance]: 60 }, oidc.ClientSecretBasic(secret));
  config.timeout = 8;
  // The environment allows plain http on loopback only.
  if (env().KEYCLOAK_ISSUER.startsWith("http://")) oidc.allowInsecureRequests(config);
  return config;
}

/** A path of ours to come back to; anything that could lead elsewhere becomes the page of machine access. */
export function safePath(path: string | null | undefined): string {
  return ownPath(path) ?? "/machine-access";
}

function sessionOf(ctx: Context): { person: Person; session: SessionHandle } {
  const { actor } = ctx;
  if (actor.type !== "user" || actor.credential.kind !== "session") throw new SluiceError("insufficient_permission", "Machine access is given in the browser.");
  return { person: actor.person, session: actor.credential.session };
}

/**
 * Starts the way through Keycloak (code, PKCE, state, nonce) on the machine client, which asks for consent.
 * @param options.silent no page may be shown: it works where the person is signed in at Keycloak and their consent stands.
 * @returns where to send the browser, and the id to put into its cookie for `flowSeconds`.
 */
export async function startGrant(ctx: Context, returnTo: string | null, options: { silent?: boolean } = {}): Promise<{ url: string; flowId: string }> {
  const { silent = false } = options;
  const { person, session } = sessionOf(ctx);
  const config = await oidcClient();
  const flowId = randomToken(32);
  const flow: Flow = { verifier: oidc.randomPKCECodeVerifier(), state: oidc.randomState(), nonce: oidc.randomNonce(), returnTo: safePath(returnTo), sessionId: session.sessionId, sub: person.sub, silent };
  await withRedis((client) => client.set(flowKey(flowId), seal(sealingRing("VAULT_KEKS"), JSON.stringify(flow), boundTo(flowId)), "EX", flowSeconds));
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri(), scope, ...(silent ? { prompt: "none" } : { max_age: String(maxAgeSeconds) }), state: flow.state, nonce: flow.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(flow.verifier), code_challenge_method: "S256", login_hint: person.username,
  });
  return { url: url.href, flowId };
}

/** `silent`: nobody asked for it, so nobody is told how it went. */
export type GrantOutcome = { returnTo: string; outcome: "given" | "refused" | "failed" | "silent" };

/**
 * Takes Keycloak's answer. It counts only in the session that asked, once, and for the same person.
 * @param query the callback's query, as the browser brought it.
 */
export async function finishGrant(ctx: Context, flowId: string | null, query: URLSearchParams): Promise<GrantOutcome> {
  const { person, session } = sessionOf(ctx);
  const flow = flowId ? await takeFlow(flowId) : null;
  if (!flow || flow.sessionId !== session.sessionId || flow.sub !== person.sub) return { returnTo: safePath(null), outcome: "failed" };
  const { returnTo } = flow;
  if (flow.silent) return renewSilently(ctx, person, flow, query);
  if (query.get("error") === "access_denied" && query.get("state") === flow.state) return { returnTo, outcome: "refused" };
  try {
    await redeem(ctx, person, flow, query);
    return { returnTo, outcome: "given" };
  } catch (error) {
    logger.warn({ why: whyOf(error), userId: person.userId }, "machine access was not given");
    return { returnTo, outcome: "failed" };
  }
}

/** Keycloak may want a page after all (`login_required`, `interaction_required`): then the grant stays what it was. */
async function renewSilently(ctx: Context, person: Person, flow: Flow, query: URLSearchParams): Promise<GrantOutcome> {
  try {
    if (query.get("error") === null) await redeem(ctx, person, flow, query);
  } catch (error) {
    logger.warn({ why: whyOf(error), userId: person.userId }, "machine access was not renewed at a sign-in");
  }
  return { returnTo: flow.returnTo, outcome: "silent" };
}

/** The library's errors quote the answer, so only their names are kept. */
function whyOf(error: unknown): string {
  if (error instanceof oidc.ResponseBodyError || error instanceof oidc.AuthorizationResponseError) return error.error;
  return error instanceof SluiceError ? error.code : error instanceof Error ? error.name : "unknown";
}

async function takeFlow(flowId: string): Promise<Flow | null> {
  if (!/^[\w-]{43}$/.test(flowId)) return null;
  const blob = await withRedis((client) => client.getdel(flowKey(flowId)));
  try {
    return blob ? Flow.parse(JSON.parse(unseal(env().VAULT_KEKS, blob, boundTo(flowId)))) : null;
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}

async function redeem(ctx: Context, person: Person, flow: Flow, query: URLSearchParams): Promise<void> {
  const tokens = await oidc.authorizationCodeGrant(await oidcClient(), new URL(`${redirectUri()}?${query}`), {
    pkceCodeVerifier: flow.verifier, expectedState: flow.state, expectedNonce: flow.nonce, idTokenExpected: true, ...(!flow.silent && { maxAge: maxAgeSeconds }),
  });
  const { refresh_token: refreshToken, id_token: idToken } = tokens;
  if (!refreshToken || !idToken) throw identityUnavailable(new Error("Keycloak gave no offline token"));
  const claims = await verifyKeycloakToken(tokens.access_token);
  const idClaims = await verifyKeycloakToken(idToken, { use: "id", audience: keycloakClient("machine").id });
  if (claims.sub !== person.sub || idClaims.sub !== person.sub) {
    await revokeToken("machine", refreshToken).catch(() => undefined);
    throw new SluiceError("invalid_credentials", "Somebody else signed in at Keycloak.");
  }
  await rememberPerson(identityOf(claims));
  const endsIn = Number(tokens.refresh_expires_in);
  await storeGrant({
    userId: person.userId, tenantId: person.tenantId, issuer: person.issuer, sub: person.sub, client: "machine", refreshToken,
    refreshExpiresAt: endsIn > 0 ? now() + endsIn * 1000 : null, kcSid: typeof claims.sid === "string" ? claims.sid : null,
  }, ctx);
}
