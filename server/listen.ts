import { createServer, type RequestListener, type Server } from "node:http";
import { answerUnreadable } from "./unreadable";

/** A server that answers in our words where Node has its own: unreadable requests, a missing Host, a client that has ended its side. */
export function newServer(listener: RequestListener): Server {
  // Whether a Host is missing the listener says itself.
  const server = createServer({ requireHostHeader: false }, listener);
  // Without it Node closes the connection of a client that has only finished sending. See leaveAtEnd in requests.ts.
  Object.assign(server, { httpAllowHalfOpen: true });
  return server.on("clientError", answerUnreadable);
}

/**
 * Listens where `host` says; all interfaces when it says nothing. The name `localhost` means both loopback addresses,
 * since browsers and programs differ in which of them they try.
 *
 * @returns every listening server, to be closed together.
 */
export async function listen(server: Server, port: number, host?: string): Promise<Server[]> {
  if (host !== "localhost") return [await bind(server, port, host)];
  const first = await bind(server, port, "127.0.0.1");
  const twin = newServer(server.listeners("request")[0] as RequestListener);
  for (const listener of server.listeners("upgrade")) twin.on("upgrade", listener as (...args: unknown[]) => void);
  try {
    return [first, await bind(twin, port, "::1")];
  } catch (error) {
    // A machine without IPv6 has one loopback address.
    if (["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes((error as NodeJS.ErrnoException).code ?? "")) return [first];
    throw error;
  }
}

function bind(server: Server, port: number, host?: string): Promise<Server> {
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => fail(error.code === "EADDRINUSE" ? Object.assign(new Error(`port ${port} is taken; set PORT to another one`), { code: error.code }) : error));
    server.listen(port, host, () => done(server));
  });
}
