import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ApiContext } from "./api";
import { callerHasLeft } from "./observed";

/** `done` is fulfilled when all that follows the stream is done too, such as settling its credits. */
export type StreamAnswer = { status: number; headers: Record<string, string>; body: Readable; done?: Promise<void> };

/**
 * Sends a stream that is not ours to read. On our own door it is piped from socket to socket with back-pressure; inside
 * Next.js it becomes the Response's body, and nothing else differs.
 */
export function sendStream(c: ApiContext, answer: StreamAnswer): Response {
  const outgoing = c.env?.outgoing;
  c.set("streamed", finished(answer.body).catch(() => undefined).then(() => answer.done).catch(() => undefined));
  if (!outgoing) return c.body(Readable.toWeb(answer.body) as ReadableStream, answer.status as 200, answer.headers);
  // Not `c.res`: once that exists, Hono merges what is returned below into a response of its own, which would be sent again.
  outgoing.writeHead(answer.status, answer.headers);
  outgoing.flushHeaders();
  // Whoever made the stream learns of a caller that left by its being destroyed.
  void pipeline(answer.body, outgoing).catch(() => undefined);
  return RESPONSE_ALREADY_SENT;
}

/** Fires when the caller is gone before the answer was complete, at once for one who left already. */
export function clientGone(c: ApiContext): AbortSignal {
  const outgoing = c.env?.outgoing;
  if (!outgoing) return c.req.raw.signal;
  const controller = new AbortController();
  // Its close is over then, and nobody would hear of it.
  if (callerHasLeft(c)) controller.abort();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) controller.abort();
  });
  return controller.signal;
}
