import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { newServer } from "./listen";
import { pipeTo } from "./pipe";
import { answerRequests } from "./requests";

export type TestDoor = {
  port: number;
  /** What reached the page process and the API, as `METHOD address`. */
  pages: string[];
  api: string[];
  /** The headers of the last request that reached the page process. */
  seen: { headers: IncomingMessage["headers"] };
  close(): Promise<void>;
};

/** For tests: the door between a page process and an API that only record what reaches them. */
export async function aDoor(options: { page?: RequestListener; api?: RequestListener } = {}): Promise<TestDoor> {
  const seen: TestDoor["seen"] = { headers: {} };
  const reached: Pick<TestDoor, "pages" | "api"> = { pages: [], api: [] };
  const pageProcess = createServer((request, response) => {
    reached.pages.push(`${request.method} ${request.url}`);
    seen.headers = request.headers;
    if (options.page) options.page(request, response);
    else request.resume().once("end", () => response.end("a page"));
  });
  await new Promise<void>((done) => pageProcess.listen(0, "127.0.0.1", done));
  const pages = pipeTo((pageProcess.address() as AddressInfo).port, { innerSecret: "inner", upgrades: false });
  const api: RequestListener = (request, response) => {
    reached.api.push(`${request.method} ${request.url}`);
    if (options.api) options.api(request, response);
    else response.end("{}");
  };
  const door = newServer(answerRequests({ api, answersApi: true, pages, isStopping: () => false }), pages.upgrade);
  await new Promise<void>((done) => door.listen(0, "127.0.0.1", done));
  return {
    ...reached, seen, port: (door.address() as AddressInfo).port,
    close: async () => {
      await pages.stop();
      for (const server of [door, pageProcess]) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
}

export type Said = { status: number; headers: Record<string, string>; body: string; text: string };

export function read(text: string): Said {
  const [head = "", ...body] = text.split("\r\n\r\n");
  const [line = "", ...lines] = head.split("\r\n");
  return { text, status: Number(line.split(" ")[1]), headers: Object.fromEntries(lines.map((one) => [one.slice(0, one.indexOf(":")).toLowerCase(), one.slice(one.indexOf(":") + 2)])), body: body.join("\r\n\r\n") };
}

/** Writes raw bytes and reads until the server closes. */
export function ask(port: number, text: string, options: { end?: boolean } = {}): Promise<Said> {
  return new Promise((done, fail) => {
    let said = "";
    const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => (options.end ? socket.end(text) : socket.write(text)));
    socket.on("data", (chunk) => { said += chunk.toString("latin1"); }).on("end", () => {
      socket.destroy();
      done(read(said));
    }).on("error", fail);
  });
}

/** A request that wants the connection closed after its answer. */
export const requestOf = (line: string, headers: string[] = []) => `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers.map((one) => `${one}\r\n`).join("")}\r\n`;
