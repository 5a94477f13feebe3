import { connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { aDoor, ask, read, requestOf, type TestDoor } from "./door.fixture";

let door: TestDoor;
beforeEach(async () => { door = await aDoor(); });
afterEach(() => door.close());

it("a client that offers another protocol is answered in HTTP/1.1, as Java's HttpClient asks", async () => {
  const offer = (line: string) => ask(door.port, requestOf(line, ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA"]));
  for (const line of ["GET /health", "GET /sign-in"]) expect((await offer(line)).status).toBe(200);
  expect([door.api, door.pages, door.seen.headers.upgrade]).toEqual([["GET /health"], ["GET /sign-in"], undefined]);
});

it("an expectation that is unknown is ignored", async () => {
  for (const path of ["/health", "/sign-in"]) {
    const said = await ask(door.port, requestOf(`GET ${path}`, ["Expect: something"]));
    expect(said.status).toBe(200);
  }
});

it("CONNECT is refused with a problem, however it names its target", async () => {
  for (const target of ["localhost:443", "/sign-in"]) {
    const said = await ask(door.port, requestOf(`CONNECT ${target}`));
    expect([said.status, (JSON.parse(said.body) as { code: string }).code, said.headers.allow]).toEqual([405, "method_not_allowed", "GET, HEAD, POST, OPTIONS"]);
    expect(said.headers).toMatchObject({ "x-content-type-options": "nosniff", "x-request-id": expect.stringMatching(/^[\w-]{36}$/) });
  }
  expect([door.api, door.pages]).toEqual([[], []]);
});

it("a client that is still sending headers reads that they are too large", async () => {
  const said = await new Promise<string>((done, fail) => {
    let text = "";
    const socket = connect(door.port, "127.0.0.1", () => {
      socket.pause();
      // Reads nothing before all is sent, as simple clients do.
      socket.write(`GET /sign-in HTTP/1.1\r\nHost: x\r\nCookie: ${"a".repeat(8_388_608)}\r\n\r\n`, () => socket.resume());
    });
    socket.on("data", (chunk) => { text += chunk.toString(); }).on("end", () => done(text)).on("error", fail);
  });
  expect([read(said).status, (JSON.parse(read(said).body) as { code: string }).code]).toEqual([431, "headers_too_large"]);
  expect(door.pages).toEqual([]);
});
