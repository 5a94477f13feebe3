import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { SluiceError } from "@/lib/platform/errors";
import { discardRest } from "./linger";
import { refusalOf } from "./refuse";

const errorOf = (code: string | undefined): SluiceError => {
  if (code === "HPE_HEADER_OVERFLOW") return new SluiceError("headers_too_large", "The address and the headers together may have at most 16 KiB.");
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return new SluiceError("body_too_large", "The chunk extensions of the body are too long.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new SluiceError("request_timeout", "The request took too long to arrive. Send it again.");
  return new SluiceError("bad_request", "The request is not readable HTTP.");
};

/** Sockets that have their refusal: what they go on sending is unreadable too, and thrown away. */
const refused = new WeakSet<Duplex>();

/**
 * Answers what Node's parser gave up on, in our words and with our headers; Node's own answer has neither. Nothing is written
 * when an answer to an earlier request is on its way, since the client would take ours for a part of it.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex & { _httpMessage?: { headersSent?: boolean } | null }): void {
  if (refused.has(socket)) return;
  if (error.code === "ECONNRESET" || !socket.writable || socket._httpMessage?.headersSent) return void socket.destroy(error);
  refuseSocket(socket, errorOf(error.code));
}

/** Writes a refusal where there is no response to write to, and closes the connection once the client can have read it. */
export function refuseSocket(socket: Duplex, error: SluiceError): void {
  refused.add(socket);
  const { problem, headers, body } = refusalOf(error, { path: "", requestId: randomUUID() });
  const lines = Object.entries({ ...headers, Connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}\r\n${lines}\r\n${body}`);
  discardRest(socket);
}
