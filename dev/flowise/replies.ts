import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";

/** One event of a stream, in the words of its frame. */
export type Event = { event: string; data: unknown };

/** Flowise puts these on every ordinary reply, streams included. */
const always = { vary: "Origin", "content-security-policy": "frame-ancestors 'self'", "x-frame-options": "SAMEORIGIN" };

/** Three lines with LF only: an unknown SSE field, the data without a space, and the empty line. The event's name is inside the JSON. */
export function frame({ event, data }: Event): string {
  return `message:\ndata:${JSON.stringify({ event, data })}\n\n`;
}

export const endFrame = frame({ event: "end", data: "[DONE]" });
export const heartbeat = ":heartbeat\n\n";

/** Express' weak tag: length in hex and the first 27 characters of the SHA-1. */
export function etagOf(body: string): string {
  return `W/"${Buffer.byteLength(body).toString(16)}-${createHash("sha1").update(body).digest("base64").slice(0, 27)}"`;
}

/** Answers JSON as Express does: with an ETag, and 304 without a body for a GET that names it. */
export function json(res: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  const etag = etagOf(body);
  const { method, headers } = res.req;
  if (method === "GET" && status === 200 && headers["if-none-match"] === etag) return send(res, 304, null, { etag });
  send(res, status, body, { "content-type": "application/json; charset=utf-8", etag });
}

/** What Flowise's error handler answers; there is a stack only in its development mode. */
export function failure(res: ServerResponse, statusCode: number, message: string): void {
  json(res, statusCode, { statusCode, success: false, message, stack: {} });
}

/** Text goes out as HTML: Express' default for a string. */
export function text(res: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  send(res, status, body, { "content-type": "text/html; charset=utf-8", ...headers });
}

/** Unknown paths get the web interface, with status 200. */
export function webInterface(res: ServerResponse): void {
  send(res, 200, '<!doctype html><html lang="en"><head><title>Flowise - Build AI Agents, Visually</title></head><body><div id="root"></div></body></html>', { "content-type": "text/html; charset=UTF-8" });
}

/** Sends the headers of a stream at once, before anything is known about the answer. */
export function openStream(res: ServerResponse): void {
  res.writeHead(200, { ...always, "content-type": "text/event-stream", "cache-control": "no-cache", connection: "keep-alive", "x-accel-buffering": "no" });
  res.flushHeaders();
}

function send(res: ServerResponse, status: number, body: string | null, headers: Record<string, string>): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, { ...always, ...headers, ...(body !== null && { "content-length": Buffer.byteLength(body) }) });
  res.end(body ?? undefined);
}
