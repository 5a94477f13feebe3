import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How long, and how much, the rest of an unwanted body is read and thrown away. */
export const lingerBounds = { ms: 10_000, bytesMax: 134_217_728 } as const;

const lingering = new WeakSet<Socket>();

/**
 * Lets an answer that closes the connection reach a client that is still sending. A socket that is closed with unread bytes resets the
 * connection, and the client loses the answer with it. So our side is ended first, and what still comes is read and thrown away
 * for a bounded time and size (RFC 9112, section 9.6).
 */
export function lingerOnClose({ socket }: IncomingMessage): void {
  if (lingering.has(socket) || "sluiceLingers" in socket) return;
  Object.defineProperty(socket, "sluiceLingers", { value: true });
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    if (socket.readableEnded || socket.destroyed || socket.writableEnded) return destroySoon();
    lingering.add(socket);
    discardRest(socket);
    socket.end();
  };
}

/** Reads and throws away what still comes on a socket whose last answer is written, within the bounds, and closes it then. */
export function discardRest(socket: Duplex & { bytesRead?: number }): void {
  const until = (socket.bytesRead ?? 0) + lingerBounds.bytesMax;
  const timer = setTimeout(() => socket.destroy(), lingerBounds.ms);
  const count = () => { if ((socket.bytesRead ?? 0) > until) socket.destroy(); };
  const watch = setInterval(count, 50);
  socket.once("close", () => {
    clearTimeout(timer);
    clearInterval(watch);
  }).once("end", () => socket.destroy());
  socket.resume();
}

/** What comes on a connection that was answered for the last time is no request any more. */
export function isLingering({ socket }: IncomingMessage): boolean {
  return lingering.has(socket);
}
