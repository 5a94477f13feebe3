import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { Agent, type Dispatcher, errors as undiciErrors } from "undici";
import type { Context } from "@/lib/access";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { isIdempotent, timedOut, unreachable } from "./failures";
import { identityHeader } from "./identity-header";
import { pathOf } from "./paths";
import { credentialFor, type Engine, type EngineCredential } from "./whose-token";

export type UpstreamRequest = {
  engine: Engine;
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
  /** Fires when the caller has gone. */
  signal?: AbortSignal;
  /** Told right before the request leaves: from then on the engine may be at work. */
  onSend?: () => void;
};

/** Whatever the engine answered but a 401; `body` must be read or destroyed. */
export type UpstreamAnswer = { status: number; headers: Record<string, string>; body: Readable };

const hourMs = 3_600_000;
const shared = globalThis as typeof globalThis & { sluiceAgent?: Agent };

function agent(): Agent {
  shared.sluiceAgent ??= new Agent({ connections: 512, pipelining: 1, keepAliveTimeout: 10_000, connect: { timeout: env().UPSTREAM_CONNECT_TIMEOUT_MS } });
  return shared.sluiceAgent;
}

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
  const credential = await credentialFor(ctx, request.engine);
  const sent = { body: request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body)), idempotencyKey: randomUUID() };
  const first = await attempt(ctx, request, credential, sent);
  if (first.status !== 401) return first;
  first.body.resume();
  if (credential.generation !== null) {
    const second = await attempt(ctx, request, await credentialFor(ctx, request.engine, credential.generation), sent);
    if (second.status !== 401) return second;
    second.body.resume();
  }
  throw new SluiceError("upstream_unauthorised", `${nameOf(request.engine)} does not accept the person's token.`);
}

export function nameOf(engine: Engine): string {
  return engine === "nflow" ? "NFlow" : "Flowise";
}

type Sent = { body: Buffer | undefined; idempotencyKey: string };

async function attempt(ctx: Context, request: UpstreamRequest, credential: EngineCredential, sent: Sent): Promise<UpstreamAnswer> {
  try {
    return await send(ctx, request, credential, sent);
  } catch (error) {
    // A connection that was kept alive may be closed under us; what changes nothing is simply asked again.
    if (error instanceof undiciErrors.SocketError && isIdempotent(request) && !request.signal?.aborted) {
      return send(ctx, request, credential, sent).catch((again: unknown) => { throw translated(again, request); });
    }
    throw translated(error, request);
  }
}

async function send(ctx: Context, request: UpstreamRequest, credential: EngineCredential, sent: Sent): Promise<UpstreamAnswer> {
  const settings = env();
  const total = request.stream ? hourMs : settings.UPSTREAM_TOTAL_TIMEOUT_MS;
  const deadline = AbortSignal.timeout(total);
  const base = request.engine === "nflow" ? settings.NFLOW_API_URL : settings.FLOWISE_URL;
  const url = new URL(base + pathOf(request.engine, request.method, request.template, request.names));
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  const options: Dispatcher.RequestOptions = {
    origin: url.origin, path: url.pathname + url.search, method: request.method, body: sent.body,
    headersTimeout: request.slow ? total : settings.UPSTREAM_FIRST_BYTE_TIMEOUT_MS,
    bodyTimeout: request.stream ? settings.UPSTREAM_IDLE_TIMEOUT_MS : total,
    signal: request.signal ? AbortSignal.any([request.signal, deadline]) : deadline,
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
  request.onSend?.();
  const { statusCode, headers, body } = await agent().request(options);
  // A body that nobody reads to its end may still fail; whoever does read it hears of that by itself.
  body.on("error", () => undefined);
  return { status: statusCode, headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")])), body };
}

/** Errors of the wire in our words. A caller who left is nobody's failure and travels as it is. */
export function translated(error: unknown, request: Pick<UpstreamRequest, "engine" | "signal">): unknown {
  if (request.signal?.aborted || error instanceof SluiceError) return error;
  const late = error instanceof undiciErrors.HeadersTimeoutError || error instanceof undiciErrors.BodyTimeoutError || (error instanceof Error && error.name === "TimeoutError");
  return late ? timedOut(nameOf(request.engine), error) : unreachable(nameOf(request.engine), error);
}

/** Ends the pool, for tests and shutdown. */
export async function closeUpstream(): Promise<void> {
  const current = shared.sluiceAgent;
  shared.sluiceAgent = undefined;
  await current?.destroy();
}
