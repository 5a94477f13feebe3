import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { env } from "@/lib/platform/env";
import { pageBodyBytesMax, pageBounds } from "./bounds";
import { aDoor, ask, read, requestOf, type TestDoor } from "./door.fixture";

let door: TestDoor;
beforeEach(async () => { door = await aDoor(); });
afterEach(() => door.close());

const codeOf = (body: string) => (JSON.parse(body) as { code: string }).code;

describe("what is too much for a page", () => {
  const { addressCharactersMax, parametersMax, headersMax, cookiesMax } = pageBounds;
  const many = (count: number, one: (i: number) => string, between: string) => Array.from({ length: count }, (_, i) => one(i)).join(between);
  const cases = {
    "a long address": [`GET /${"a".repeat(addressCharactersMax)}`, [], 414, "address_too_long"],
    "many query parameters": [`GET /sign-in?${many(parametersMax + 1, () => "a=1", "&")}`, [], 400, "bad_request"],
    "many headers": ["GET /docs", Array.from({ length: headersMax }, (_, i) => `X-${i}: 1`), 431, "headers_too_large"],
    "many cookies": ["GET /api/auth/csrf", [`Cookie: ${many(cookiesMax + 1, (i) => `c${i}=1`, "; ")}`], 431, "headers_too_large"],
    "a large body": ["POST /sign-in", [`Content-Length: ${pageBodyBytesMax + 1}`], 413, "body_too_large"],
  } as const;

  it.each(Object.entries(cases))("%s is refused and never reaches the page process", async (_name, [line, headers, status, code]) => {
    const said = await ask(door.port, requestOf(line, [...headers]));
    expect([said.status, codeOf(said.body)]).toEqual([status, code]);
    expect(said.headers).toMatchObject({ "content-type": "application/problem+json", "x-content-type-options": "nosniff", "x-request-id": expect.stringMatching(/^[\w-]{36}$/) });
    expect(door.pages).toEqual([]);
  });

  it("a request just below the bounds reaches it", async () => {
    const line = `GET /sign-in?${many(parametersMax, () => "a=1", "&")}`;
    expect((await ask(door.port, requestOf(line, [`Cookie: ${many(cookiesMax, (i) => `c${i}=1`, "; ")}`]))).status).toBe(200);
    expect(door.pages).toEqual([line]);
  });

  it("a chunked body that grows past the bound is refused", async () => {
    const chunk = "x".repeat(65_536);
    const said = await ask(door.port, requestOf("POST /sign-in", ["Transfer-Encoding: chunked"]) + `10000\r\n${chunk}\r\n`.repeat(17) + "0\r\n\r\n");
    expect([said.status, codeOf(said.body), door.pages]).toEqual([413, "body_too_large", []]);
  });

  it("a browser is told in a sentence", async () => {
    const said = await ask(door.port, requestOf(`GET /${"a".repeat(addressCharactersMax)}`, ["Accept: text/html,*/*;q=0.8"]));
    expect([said.headers["content-type"], said.body]).toEqual(["text/plain; charset=utf-8", `The address may have at most ${addressCharactersMax} characters.\n`]);
  });
});

describe("what is no request for us", () => {
  it.each([["GET *", 400, "bad_request"], ["GET ftp://x/y", 400, "bad_request"], ["GET keys", 400, "bad_request"], ["TRACE /", 405, "method_not_allowed"], ["TRACE /api/v1/auth/me", 405, "method_not_allowed"], ["GET /%E0%A4%A", 400, "bad_request"],
    ["PUT /keys", 405, "method_not_allowed"], ["DELETE /keys", 405, "method_not_allowed"], ["PROPFIND /", 405, "method_not_allowed"]] as const)("%s is %i", async (line, status, code) => {
    const said = await ask(door.port, requestOf(line));
    expect([said.status, codeOf(said.body), door.pages, door.api]).toEqual([status, code, [], []]);
    if (status === 405) expect(said.headers.allow).toBe("GET, HEAD, POST, OPTIONS");
  });

  it("OPTIONS of the server and of a page tell the methods", async () => {
    for (const line of ["OPTIONS *", "OPTIONS /keys"]) {
      const said = await ask(door.port, requestOf(line));
      expect([said.status, said.headers.allow]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
    }
  });

  it("unreadable HTTP is answered with a problem and an id", async () => {
    for (const [text, status, code] of [["NO HTTP\r\n\r\n", 400, "bad_request"], [requestOf("GET /", [`X-Long: ${"a".repeat(17_000)}`]), 431, "headers_too_large"], [requestOf("GET /", ["Host: other"]), 400, "bad_request"], ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "bad_request"]] as const) {
      const said = await ask(door.port, text);
      expect([said.status, codeOf(said.body)], text.slice(0, 20)).toEqual([status, code]);
      expect(said.headers).toMatchObject({ "content-type": "application/problem+json", "x-content-type-options": "nosniff", "x-request-id": expect.stringMatching(/^[\w-]{36}$/) });
    }
    expect([door.pages, door.api]).toEqual([[], []]);
  });

  it("a server action of another origin is cross_origin, Auth.js's own forms pass", async () => {
    const post = (path: string, origin: string) => ask(door.port, requestOf(`POST ${path}`, [`Origin: ${origin}`, "Content-Length: 0"]));
    const foreign = await post("/keys", "https://other.test");
    expect([foreign.status, codeOf(foreign.body), door.pages]).toEqual([403, "cross_origin", []]);
    expect((await post("/keys", "null")).status).toBe(403);
    expect((await post("/keys", new URL(env().AUTH_URL).origin)).status).toBe(200);
    expect((await post("/api/auth/signout", "https://other.test")).status).toBe(200);
  });
});

describe("how requests are written", () => {
  it("HTTP/1.0 without a Host is answered, as load balancers ask", async () => {
    expect((await ask(door.port, "GET /health HTTP/1.0\r\n\r\n")).status).toBe(200);
    expect((await ask(door.port, "GET /sign-in HTTP/1.0\r\n\r\n")).status).toBe(200);
  });

  it("an absolute address is read as a path, and neither it nor Host tells the pages who we are", async () => {
    for (const target of ["http://other.test/keys?a=1", "HTTP://other.test:81/keys?a=1"]) expect((await ask(door.port, requestOf(`GET ${target}`))).status).toBe(200);
    await ask(door.port, requestOf("GET http://other.test"));
    await ask(door.port, requestOf("GET http://other.test/api/health/live"));
    expect([door.pages, door.api]).toEqual([["GET /keys?a=1", "GET /keys?a=1", "GET /"], ["GET /api/health/live"]]);
    expect(door.seen.headers).toMatchObject({ host: new URL(env().AUTH_URL).host, "x-forwarded-host": new URL(env().AUTH_URL).host });
  });

  it("a client that ends its side after its request gets the answer", async () => {
    for (const path of ["/health", "/sign-in"]) expect((await ask(door.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, { end: true })).status).toBe(200);
  });

  it("a client that ends its side while an engine works for it has left", async () => {
    await door.close();
    let left: Promise<void> = Promise.resolve();
    let begun: () => void = () => undefined;
    const started = new Promise<void>((done) => { begun = done; });
    door = await aDoor({ api: (_request, response) => {
      left = new Promise((done) => response.once("close", () => done()));
      begun();
    } });
    const socket = connect(door.port, "127.0.0.1", () => socket.write(requestOf("POST /api/v1/chat/predict", ["Content-Length: 0"])));
    await started;
    socket.end();
    await left;
  });

  it("the page process and the answer carry the same request id, the caller's where it is harmless", async () => {
    const own = await ask(door.port, requestOf("GET /icon.svg", ["X-Request-Id: mine-1"]));
    expect([own.headers["x-request-id"], door.seen.headers["x-request-id"]]).toEqual(["mine-1", "mine-1"]);
    const other = await ask(door.port, requestOf("GET /icon.svg", ["X-Request-Id: <script>"]));
    expect(other.headers["x-request-id"]).toMatch(/^[\w-]{36}$/);
    expect(door.seen.headers["x-request-id"]).toBe(other.headers["x-request-id"]);
  });
});

describe("a client that goes on sending after its refusal", () => {
  it("still reads the refusal, and what it sends is no request", async () => {
    await door.close();
    door = await aDoor({ api: (_request, response) => response.writeHead(413, { Connection: "close", "Content-Length": "9" }).end("too large") });
    const size = 24 * 1024 * 1024;
    const said = await new Promise<string>((done, fail) => {
      let text = "";
      const socket = connect(door.port, "127.0.0.1", () => {
        socket.write(`POST /api/v1/auth/api-keys HTTP/1.1\r\nHost: x\r\nContent-Length: ${size}\r\n\r\n`);
        // Reads nothing before all is sent, as simple clients do.
        socket.pause();
        socket.write(Buffer.alloc(size), () => {
          socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
          socket.resume();
        });
      });
      socket.on("data", (chunk) => { text += chunk.toString(); }).on("end", () => done(text)).on("error", fail);
    });
    expect([read(said).status, read(said).body]).toEqual([413, "too large"]);
    expect(door.api).toEqual(["POST /api/v1/auth/api-keys"]);
  });
});
