import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { requestIdFrom } from "@/lib/entry/request-id";
import { env } from "@/lib/platform/env";
import { isSluiceError, SluiceError } from "@/lib/platform/errors";
import { pageMethods, requirePageBounds } from "./bounds";
import { hasBody } from "./forwarded";
import { isLingering, lingerOnClose } from "./linger";
import { nameFaces } from "./page-status";
import type { Pages } from "./pages";
import { refuse, requestIdHeader } from "./refuse";

type Behind = {
  /** The Hono app, as a listener. */
  api: (request: IncomingMessage, response: ServerResponse) => unknown;
  answersApi: boolean;
  pages: Pages | null;
  isStopping: () => boolean;
};

/** The public port's listener: reads who is meant, refuses what is no request, and hands the rest to the API or the pages. */
export function answerRequests({ api, answersApi, pages, isStopping }: Behind): RequestListener {
  return (request, response) => {
    if (isLingering(request)) return void request.resume();
    if (isStopping()) response.setHeader("Connection", "close");
    if (hasBody(request)) lingerOnClose(request);
    try {
      readTarget(request);
      const url = request.url ?? "/";
      if (isApiPath(url) && (answersApi || isProbe(url))) {
        leaveAtEnd(request, response);
        return void api(request, response);
      }
      ownHeaders(request, response);
      if (request.method === "OPTIONS" && !isApiPath(url)) return void response.writeHead(204, { Allow: pageMethods, "Content-Length": "0" }).end();
      if (isApiPath(url)) throw new SluiceError("not_found", "This server answers pages only.");
      if (!pages) throw new SluiceError("not_found", "This server answers the API only.");
      requirePageMethod(request);
      requirePageBounds(request);
      requireOwnOrigin(request);
      nameFaces(request, response);
      pages.handle(request, response);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
      ownHeaders(request, response);
      refuse(request, response, error);
    }
  };
}

/** Every answer has an id that a person can name, and says that its type is meant. Pages are shown the same id. */
function ownHeaders(request: IncomingMessage, response: ServerResponse): void {
  if (response.hasHeader(requestIdHeader)) return;
  response.setHeader(requestIdHeader, requestIdFrom(request.headers["x-request-id"]?.toString()));
  response.setHeader("X-Content-Type-Options", "nosniff");
}

const absoluteForm = /^https?:\/\/[^/?#]*/i;

/**
 * Brings the target into the form that everything behind the door knows: a path of ours. An absolute target (RFC 9112, 3.2.2) and `Host` name an
 * authority that anybody may write; ours is known, so neither is believed or passed on.
 *
 * @throws SluiceError `bad_request`, `method_not_allowed`
 */
function readTarget(request: IncomingMessage): void {
  const { headers, method } = request;
  if (method === "TRACE") throw new SluiceError("method_not_allowed", `TRACE is not answered here. Use one of ${pageMethods}.`, { headers: { Allow: pageMethods } });
  const hosts = request.headersDistinct.host?.length ?? 0;
  if (hosts > 1) throw new SluiceError("bad_request", "The request names two hosts. Send one Host header.");
  // HTTP/1.0 knows no Host; load balancers' probes still speak it.
  if (hosts === 0 && request.httpVersion !== "1.0") throw new SluiceError("bad_request", "The request names no host. Send a Host header.");
  headers.host = new URL(env().AUTH_URL).host;
  const target = (request.url ?? "/").replace(absoluteForm, "");
  request.url = target === "" || target.startsWith("?") ? `/${target}` : target;
  if (target === "*" && method === "OPTIONS") request.url = "/";
  else if (!request.url.startsWith("/")) throw new SluiceError("bad_request", "The address is neither a path nor an absolute http address.");
}

/** @throws SluiceError `method_not_allowed` */
function requirePageMethod({ method = "" }: IncomingMessage): void {
  if (pageMethods.split(", ").includes(method)) return;
  throw new SluiceError("method_not_allowed", `Pages answer ${pageMethods}.`, { headers: { Allow: pageMethods } });
}

/** Next.js answers a server action of another origin with a 500 of its own. Auth.js's forms carry a token of their own. @throws SluiceError `cross_origin` */
function requireOwnOrigin({ method, url = "", headers: { origin } }: IncomingMessage): void {
  if (method !== "POST" || origin === undefined || url.startsWith("/api/auth/") || origin === new URL(env().AUTH_URL).origin) return;
  throw new SluiceError("cross_origin", "This can only be done from the portal's own pages.");
}

/**
 * A client may end its side once it has asked, and still gets its answer. Where an engine works for it that means instead that it has left: nobody
 * should pay for an answer that nobody waits for, and a socket cannot tell the two apart.
 */
function leaveAtEnd({ socket, method = "", url = "" }: IncomingMessage, response: ServerResponse): void {
  if (!isEngineCall(method, url)) return;
  const leave = () => void socket.destroy();
  if (socket.readableEnded) return leave();
  socket.once("end", leave);
  response.once("close", () => socket.removeListener("end", leave));
}

const isEngineCall = (method: string, url: string) => !["GET", "HEAD", "OPTIONS"].includes(method) && /^\/(api\/v1|api\/openai|chat)\//.test(url) && !url.startsWith("/api/v1/auth/");

/** What belongs to the Hono app; Auth.js keeps its own corner of `/api`, as a route handler of Next.js. */
export function isApiPath(url: string): boolean {
  const path = url.split("?", 1)[0] ?? "/";
  if (path === "/health" || path === "/info" || path === "/.well-known/jwks.json") return true;
  if (path === "/api/auth" || path.startsWith("/api/auth/")) return path === "/api/auth/backchannel-logout";
  return path === "/api" || path.startsWith("/api/");
}

/** Whoever watches over a page server must be able to ask it. */
function isProbe(url: string): boolean {
  return /^\/(health|api\/health\/(live|ready))\/?(\?|$)/.test(url);
}
