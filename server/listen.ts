import { createServer, type RequestListener, type Server } from "node:http";
import { SluiceError } from "@/lib/platform/errors";
import { pageMethods } from "./bounds";
import type { Pages } from "./pages";
import { answerUnreadable, refuseSocket } from "./unreadable";

/**
 * A server that answers in our words where Node has its own: unreadable requests, a missing Host, a client that has ended its side, `CONNECT`.
 *
 * @param upgrade takes offers of another protocol. Without it they are ignored, as RFC 9110 (section 7.8) allows: Java's HttpClient
 *   offers HTTP/2 with every first request.
 */
export function newServer(listener: RequestListener, upgrade?: Pages["upgrade"]): Server {
  // Whether a Host is missing the listener says itself.
  const server = createServer({ requireHostHeader: false }, listener);
  // Without it Node closes the connection of a client that has only finished sending. See leaveAtEnd in requests.ts.
  Object.assign(server, { httpAllowHalfOpen: true });
  if (upgrade) {
    server.on("upgrade", (request, socket, head) => {
      // Node leaves the socket without a listener here: a client that resets it would end the process.
      socket.on("error", () => socket.destroy());
      upgrade(request, socket, head);
    });
  }
  server.on("connect", (_request, socket) => {
    socket.on("error", () => socket.destroy());
    refuseSocket(socket, new SluiceError("method_not_allowed", `CONNECT is not answered here. Use one of ${pageMethods}.`, { headers: { Allow: pageMethods } }));
  });
  // Node would answer an unknown expectation with a bare 417.
  server.on("checkExpectation", listener);
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
  const twin = newServer(server.listeners("request")[0] as RequestListener, server.listeners("upgrade")[0] as Pages["upgrade"]);
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
