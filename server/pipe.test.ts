import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { env, setEnv } from "@/lib/platform/env";
import { pendingBounds } from "./collect";
import { aDoor, ask, requestOf, type TestDoor } from "./door.fixture";
import { spoolBounds } from "./spool";

let door: TestDoor;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  setEnv(undefined);
  await door.close();
});

/** Connects and writes, and tells what came back when the server closes. */
function open(text: string): { said: Promise<string>; socket: Socket } {
  const socket = connect(door.port, "127.0.0.1", () => socket.write(text));
  sockets.push(socket);
  let got = "";
  return { socket, said: new Promise((done) => socket.on("data", (chunk) => { got += chunk.toString("latin1"); }).on("error", () => undefined).on("close", () => done(got))) };
}

const slow = (address = "203.0.113.7") => `POST /sign-in HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${address}\r\nContent-Length: 1000\r\n\r\n[`;
const trust = (more: Partial<ReturnType<typeof env>> = {}) => setEnv({ ...env(), TRUSTED_PROXIES: ["127.0.0.1"], ...more });

it("bodies that never end hold no connection to the page process, and their own address still loads pages", async () => {
  trust();
  door = await aDoor();
  const oldest = open(slow());
  for (let i = 0; i < pendingBounds.perAddressMax; i++) open(slow());
  expect(await oldest.said).toMatch(/^HTTP\/1\.1 408 /);
  for (const address of ["203.0.113.7", "203.0.113.8"]) expect((await ask(door.port, requestOf("GET /sign-in", [`X-Forwarded-For: ${address}`]))).status).toBe(200);
  expect((await ask(door.port, requestOf("POST /sign-in", ["X-Forwarded-For: 203.0.113.7", "Content-Length: 2"]) + "[]")).status).toBe(200);
  expect(door.pages).toEqual(["GET /sign-in", "GET /sign-in", "POST /sign-in"]);
});

it("a body that does not arrive in time is 408", async () => {
  trust({ PAGE_BODY_SECONDS: 1 });
  door = await aDoor();
  const said = await ask(door.port, slow());
  expect([said.status, (JSON.parse(said.body) as { code: string }).code, door.pages]).toEqual([408, "request_timeout", []]);
});

it("a body reaches the page process whole, with its length", async () => {
  let got = "";
  door = await aDoor({ page: (request, response) => void request.on("data", (chunk) => { got += chunk; }).on("end", () => response.end(request.headers["content-length"])) });
  expect((await ask(door.port, requestOf("POST /sign-in", ["Transfer-Encoding: chunked"]) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).body).toContain("5");
  expect(got).toBe("abcde");
});

it("a client that reads nothing holds no connection to the page process once the page is rendered", async () => {
  const page = Buffer.alloc(spoolBounds.perAnswerMax / 2, "p");
  const finished: ServerResponse[] = [];
  door = await aDoor({ page: (_request, response) => void response.once("finish", () => finished.push(response)).end(page) });
  const { socket } = open("GET /docs HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.pause();
  // Rendered and taken over by the door, though the client has read none of it.
  await expect.poll(() => finished[0]?.writableFinished).toBe(true);
  await expect.poll(() => finished[0]?.socket === null || finished[0]?.closed).toBe(true);
});

it("a page that is larger than the door keeps arrives whole", async () => {
  const page = Buffer.alloc(3 * spoolBounds.perAnswerMax, "p");
  door = await aDoor({ page: (_request, response) => void response.setHeader("Content-Length", page.length).end(page) });
  expect((await ask(door.port, requestOf("GET /docs"))).body).toHaveLength(page.length);
});

it("a client that resets its connection takes its page request along", async () => {
  let left: () => void = () => undefined;
  const gone = new Promise<void>((done) => { left = done; });
  let begun: () => void = () => undefined;
  const started = new Promise<void>((done) => { begun = done; });
  door = await aDoor({ page: (_request, response) => {
    response.once("close", left);
    begun();
  } });
  const { socket } = open("GET /docs HTTP/1.1\r\nHost: x\r\n\r\n");
  await started;
  socket.resetAndDestroy();
  await gone;
});
