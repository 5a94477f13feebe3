import type { Socket } from "node:net";
import type { CallTrace } from "@/lib/access";
import { addressFromDoor, clientAddress } from "@/lib/platform/client-address";
import { env } from "@/lib/platform/env";
import { clientClosed, isSluiceError, SluiceError } from "@/lib/platform/errors";
import { logger, logRequest } from "@/lib/platform/logger";
import { metrics } from "@/lib/platform/metrics";
import { problemHeaders, toProblem } from "@/lib/platform/problem";
import { unfinished } from "@/lib/platform/unfinished";
import { watchPeer } from "@/lib/platform/unnamed-proxy";
import { recordCall } from "@/lib/usage";
import type { ApiContext } from "./api";
import type { Caller } from "./identify";
import { requestHeader, setHeader } from "./headers";
import { knownFailure } from "./known-failure";
import { requestIdFrom } from "./request-id";

/** By the first digit of the status. */
const answered = ["1xx", "1xx", "2xx", "3xx", "4xx", "5xx"].map((status) => metrics.httpRequests.cell({ door: "api", status: status as "2xx" }));
const unanswered = metrics.httpRequests.cell({ door: "api", status: "499" });

/**
 * What every answer of the API has in common: its request id and headers, failures as problems, one line in the log. Around
 * the handler and not in a middleware, so that a call is one function and not a chain of them.
 *
 * @param given its pattern, under which calls of known callers are in their request log; left out, they are not.
 */
export function observed(run: (c: ApiContext) => Response | Promise<Response>, given?: string | ((c: ApiContext) => string)): (c: ApiContext) => Promise<Response> {
  return async (c) => {
    const startedAt = performance.now();
    const tell = (headers: Record<string, string>) => { for (const name in headers) setHeader(c, name, headers[name] ?? ""); };
    const caller: Caller & { call: CallTrace } = { call: { credits: 0, tell }, requestId: requestIdFrom(requestHeader(c, "x-request-id")), ip: callerAddress(c), userAgent: requestHeader(c, "user-agent")?.slice(0, 400) ?? null };
    c.set("caller", caller);
    usualHeaders(c, caller.requestId);
    let answer: Response;
    let failure: unknown;
    try {
      if (/%00|\0/i.test(c.req.url)) throw new SluiceError("bad_request", "The address must not contain a null byte.");
      answer = await run(c);
    } catch (error) {
      failure = knownFailure(error);
      answer = failed(error, c);
    }
    const sent = c.env?.outgoing?.headersSent ? c.env.outgoing.statusCode : answer.status;
    // A refusal stays one, whoever waited for it. Everything else is nobody's error.
    const isUnanswered = callerHasLeft(c) && !(sent >= 400 && sent < 500);
    if (isUnanswered) failure = clientClosed(failure);
    const status = isUnanswered ? 499 : sent;
    const count = status === 499 ? unanswered : answered[Math.floor(status / 100)];
    if (count) count.count += 1;
    const { requestId } = caller;
    const { method } = c.req;
    logRequest({ requestId, method, path: c.req.path, status, ms: Math.round(performance.now() - startedAt), actor: c.get("actor") });
    if (given === undefined || !caller.call.by) return answer;
    const route = typeof given === "string" ? given : given(c);
    const { by } = caller.call;
    const peer = c.env?.incoming?.socket.remoteAddress;
    if (peer) watchPeer(peer, requestHeader(c, "x-forwarded-for") !== undefined, by.userId);
    // What is recorded is kept for a moment, and must not keep the request and its body with it.
    caller.call.tell = undefined;
    const atMs = Math.round(Date.now() - (performance.now() - startedAt));
    const record = () => recordCall({ requestId, ip: caller.ip, userAgent: caller.userAgent, call: caller.call, by, atMs, method, route, status, ms: performance.now() - startedAt, error: failure });
    const streamed = c.get("streamed");
    if (streamed) unfinished(streamed.then(record));
    else record();
    return answer;
  };
}

function usualHeaders(c: ApiContext, requestId: string): void {
  setHeader(c, "X-Request-Id", requestId);
  setHeader(c, "X-Content-Type-Options", "nosniff");
  setHeader(c, "Cache-Control", "no-store");
}

/** A failure as a problem (RFC 9457), and what of it belongs into the log. */
export function failed(given: unknown, c: ApiContext): Response {
  const { requestId } = c.get("caller") ?? { requestId: requestIdFrom(undefined) };
  const error = knownFailure(given);
  if (callerHasLeft(c)) logger.info({ requestId, method: c.req.method, path: c.req.path }, "the caller has left");
  else if (!isSluiceError(error)) logger.error({ err: error, requestId, method: c.req.method, path: c.req.path }, "unexpected failure");
  else if (error !== given) logger.warn({ err: given, requestId, method: c.req.method, path: c.req.path }, "a store is away");
  else if (error.options.cause) logger.debug({ err: error, requestId }, "refused");
  const problem = toProblem(error, { baseUrl: env().AUTH_URL, path: c.req.path, requestId });
  for (const [name, value] of Object.entries(problemHeaders(error))) setHeader(c, name, value);
  usualHeaders(c, requestId);
  // The rest of an oversized or unread body is not waited for.
  if (problem.code === "body_too_large") setHeader(c, "Connection", "close");
  const body = c.req.path.startsWith("/api/v1/chat") ? { ...problem, message: problem.detail } : problem;
  return c.body(JSON.stringify(body), problem.status as 400, { "Content-Type": "application/problem+json" });
}

const peers = new WeakMap<Socket, string | null>();

function callerAddress(c: ApiContext): string | null {
  const incoming = c.env?.incoming;
  if (!incoming) return addressFromDoor(c.req.raw.headers);
  const forwardedFor = requestHeader(c, "x-forwarded-for");
  if (forwardedFor !== undefined) return clientAddress(incoming.socket.remoteAddress, forwardedFor);
  // The peer of a connection stays who it is, however many requests come over it.
  let address = peers.get(incoming.socket);
  if (address === undefined) peers.set(incoming.socket, (address = clientAddress(incoming.socket.remoteAddress, undefined)));
  return address;
}

/** Whatever fails then fails because of it, and nobody reads the answer. */
export function callerHasLeft(c: ApiContext): boolean {
  const outgoing = c.env?.outgoing;
  return outgoing ? outgoing.destroyed && !outgoing.writableFinished : c.req.raw.signal.aborted;
}
