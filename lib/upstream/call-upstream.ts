import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { type Context, type Permission, permissionBit, roleMask, missingPermission } from "@/lib/access";
import { noteEffect, withdrawEffect } from "@/lib/platform/attempts";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { metrics } from "@/lib/platform/metrics";
import { connections, type Sending } from "./connections";
import { isIdempotent, isLostConnection, translated } from "./failures";
import { identityHeader } from "./identity-header";
import { leash } from "./leash";
import { pathOf } from "./paths";
import { getPersonState } from "@/lib/tenants";
import { audienceOf, credentialFor, type Engine, type EngineCredential, nameOf } from "./whose-token";

export type UpstreamRequest = {
  engine: Engine;
  /** What the verb asked of its caller. Asked again when the token is new, since a role may have been taken away with it. */
  needs?: Permission;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** One of `paths.ts`. */
  template: string;
  names?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** A stream may last an hour and be silent for `UPSTREAM_IDLE_TIMEOUT_MS`; its first byte is due early. */
  stream?: boolean;
  /** The answer is only due when it is done: a plain prediction. */
  slow?: boolean;
  /** Where the operator's key stands in for the person's token (`FLOWISE_AUTH=service-key`): the key that this flow is bound to instead. */
  boundKey?: string;
  /** Fires when the caller has gone. */
  signal?: AbortSignal;
  /** Told whether the engine may be at work: from the moment a connection takes the request, and no longer when it answers 401, which it does before anything else. */
  onWork?: (mayBeAtWork: boolean) => void;
};

/** Whatever the engine answered but a 401; `body` must be read or destroyed. `request` says what a failing body means. */
export type UpstreamAnswer = { status: number; headers: Record<string, string>; body: Readable; request: Pick<UpstreamRequest, "engine" | "signal"> };

const hourMs = 3_600_000;

/**
 * Calls an engine in the name of the person behind `ctx`, with a token that is good there alone.
 *
 * A `401` makes one forced refresh (none, if somebody has refreshed since) and one retry with the same `Idempotency-Key`:
 * it is raised before the call has any effect. Nothing is retried after a time-out or a `5xx` but what changes nothing.
 * Headers of the caller never pass.
 *
 * @throws SluiceError `upstream_unauthorised` after a second 401; `upstream_timeout`, `upstream_error` when the engine does
 *   not answer; what getting the token throws (`owner_reauth_required`, `identity_unavailable`, …).
 */
export async function callUpstream(ctx: Context, request: UpstreamRequest): Promise<UpstreamAnswer> {
  if (ctx.call) ctx.call.upstream = request.engine;
  const credential = await credentialFor(ctx, request.engine, { boundKey: request.boundKey });
  if (credential.isNew) await requireStillHeld(ctx, request.needs);
  const sent: Sent = { body: request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body)), idempotencyKey: randomUUID(), mayBeAtWork: false };
  // NFlow keeps no idempotency keys: whether a lost call was carried out there cannot be known, so it is not made again.
  const changes = request.engine === "nflow" && !isIdempotent(request);
  if (!changes) return twiceAtMost(ctx, request, credential, sent);
  await noteEffect(ctx.attempt);
  try {
    const answer = await twiceAtMost(ctx, { ...request, onWork: (may) => { sent.mayBeAtWork = may; request.onWork?.(may); } }, credential, sent);
    if (answer.status >= 400 && answer.status < 500) await withdrawEffect(ctx.attempt);
    return answer;
  } catch (error) {
    if (!sent.mayBeAtWork) await withdrawEffect(ctx.attempt);
    throw error;
  }
}

/** The refusal is ours and names the permission; the engine's would come as `upstream_forbidden`. @throws SluiceError `insufficient_permission` */
async function requireStillHeld({ actor }: Context, needs: Permission | undefined): Promise<void> {
  if (!needs || (actor.type !== "user" && actor.type !== "apiKey")) return;
  const { person } = await getPersonState(actor.person.userId);
  if ((roleMask(person.role) & permissionBit(needs)) === 0) throw missingPermission(needs);
}

async function twiceAtMost(ctx: Context, request: UpstreamRequest, credential: EngineCredential, sent: Sent): Promise<UpstreamAnswer> {
  const first = await attempt(ctx, request, credential, sent);
  if (first.status !== 401) return first;
  request.onWork?.(false);
  const upstream = request.engine;
  metrics.upstream401.inc({ upstream });
  first.body.resume();
  if (credential.generation !== null) {
    const second = await again(ctx, request, credential.generation, sent);
    metrics.retry.inc({ result: second.status === 401 ? "unauthorised" : "ok" });
    if (second.status !== 401) return second;
    request.onWork?.(false);
    metrics.upstream401.inc({ upstream });
    second.body.resume();
  }
  metrics.upstreamUnauthorised.inc({ upstream, audience: audienceOf(upstream) });
  throw new SluiceError("upstream_unauthorised", `${nameOf(request.engine)} does not accept the person's token.`);
}

async function again(ctx: Context, request: UpstreamRequest, staleGeneration: number, sent: Sent): Promise<UpstreamAnswer> {
  try {
    const credential = await credentialFor(ctx, request.engine, { staleGeneration });
    if (credential.isNew) await requireStillHeld(ctx, request.needs);
    return await attempt(ctx, request, credential, sent);
  } catch (error) {
    metrics.retry.inc({ result: "failed" });
    throw error;
  }
}

type Sent = { body: Buffer | undefined; idempotencyKey: string; /** Whether the engine had what changes something, and did not answer 401. */ mayBeAtWork: boolean };

async function attempt(ctx: Context, request: UpstreamRequest, credential: EngineCredential, sent: Sent): Promise<UpstreamAnswer> {
  const options = await optionsOf(ctx, request, credential, sent);
  try {
    return await send(request, options);
  } catch (error) {
    // A connection that was kept alive may be closed under us; what changes nothing is simply asked again.
    if (!isLostConnection(error) || !isIdempotent(request) || request.signal?.aborted) throw translated(error, request);
  }
  const again = await optionsOf(ctx, request, credential, sent);
  return send(request, again).catch((error: unknown) => { throw translated(error, request); });
}

const totalMs = (request: UpstreamRequest) => (request.stream ? hourMs : env().UPSTREAM_TOTAL_TIMEOUT_MS);

async function optionsOf(ctx: Context, request: UpstreamRequest, credential: EngineCredential, sent: Sent): Promise<Dispatcher.RequestOptions & Sending> {
  const settings = env();
  const base = request.engine === "nflow" ? settings.NFLOW_API_URL : settings.FLOWISE_URL;
  const url = new URL(base + pathOf(request.engine, request.method, request.template, request.names));
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  return {
    origin: url.origin, path: url.pathname + url.search, method: request.method, body: sent.body, onSend: request.onWork && (() => request.onWork?.(true)),
    headersTimeout: request.slow ? totalMs(request) : settings.UPSTREAM_FIRST_BYTE_TIMEOUT_MS,
    bodyTimeout: request.stream ? settings.UPSTREAM_IDLE_TIMEOUT_MS : totalMs(request),
    headers: {
      accept: request.stream ? "text/event-stream, application/json" : "application/json",
      authorization: `Bearer ${credential.bearer}`,
      "x-request-id": ctx.requestId,
      "x-sluice-identity": await identityHeader(ctx, request.engine, sent.body),
      ...(sent.body && { "content-type": "application/json" }),
      ...(request.method !== "GET" && { "idempotency-key": sent.idempotencyKey }),
      ...(request.engine === "flowise" && ctx.ip && { "x-forwarded-for": ctx.ip }),
    },
  };
}

async function send(request: UpstreamRequest, options: Dispatcher.RequestOptions & Sending): Promise<UpstreamAnswer> {
  const held = leash(totalMs(request), request.signal);
  try {
    const { statusCode, headers, body } = await connections().request({ ...options, signal: held.signal });
    // A body that breaks off while nobody listens would end the process; whoever reads it learns of it all the same.
    body.once("close", held.letGo).on("error", () => undefined);
    return { status: statusCode, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")])), body, request };
  } catch (error) {
    held.letGo();
    throw error;
  }
}
