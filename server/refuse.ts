import type { IncomingMessage, ServerResponse } from "node:http";
import { env } from "@/lib/platform/env";
import { SluiceError } from "@/lib/platform/errors";
import { type Problem, problemHeaders, toProblem } from "@/lib/platform/problem";

/** Header with the request's id, on every answer of every door. */
export const requestIdHeader = "X-Request-Id";

/** A refusal as it is written: a problem (RFC 9457), or its one sentence for a browser that asked for a page. */
export function refusalOf(error: SluiceError, at: { path: string; requestId: string; wantsPage?: boolean }): { problem: Problem; headers: Record<string, string>; body: string } {
  const problem = toProblem(error, { baseUrl: env().AUTH_URL, path: at.path, requestId: at.requestId });
  const body = at.wantsPage ? `${problem.detail}\n` : JSON.stringify(problem);
  return {
    problem, body,
    headers: {
      "Content-Type": at.wantsPage ? "text/plain; charset=utf-8" : "application/problem+json", "Content-Length": String(Buffer.byteLength(body)),
      "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", [requestIdHeader]: at.requestId, ...problemHeaders(error),
    },
  };
}

/** What the door says by itself, before anything behind it is asked. */
export function refuse(request: IncomingMessage, response: ServerResponse, error: SluiceError): void {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const requestId = String(response.getHeader(requestIdHeader) ?? "");
  const { problem, headers, body } = refusalOf(error, { path: path.slice(0, 500), requestId, wantsPage: /\btext\/html\b/.test(request.headers.accept ?? "") });
  // The rest of a body that is not wanted is thrown away, see linger.ts.
  if (!request.complete) response.setHeader("Connection", "close");
  response.writeHead(problem.status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
}
