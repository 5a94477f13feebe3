import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { demo, keyOf, resetParts, revoke, tokensOf } from "./client";
import { spawnServer } from "./replica";

let uma: { id: string; key: string };
beforeAll(async () => { uma = await keyOf("uma", { permissions: ["write"] }); });
afterEach(resetParts);
afterAll(() => revoke("uma", uma.id));

/** What the server writes to this raw request, until it closes or `enough` is in it. */
function raw(url: string, request: string, enough: RegExp | null = null): Promise<string> {
  return new Promise((done, fail) => {
    let text = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough?.test(text)) { socket.destroy(); done(text); }
    }).on("end", () => done(text)).on("error", fail);
  });
}

describe("what passes through the door", () => {
  const host = new URL(demo.url).host;

  it("one connection carries many requests, to the API and to pages", async () => {
    const request = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
    const answers = await raw(demo.url, request("/api/health/live") + request("/signed-out") + request("/info") + request("/signed-out", "Connection: close\r\n"));
    expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(4);
  });

  it("HEAD has the headers and no body, on both sides", async () => {
    for (const path of ["/signed-out", "/api/health/live"]) {
      const answer = await raw(demo.url, `HEAD ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer, path).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer.split("\r\n\r\n")[1], path).toBe("");
    }
  });

  it("a file that has not changed is 304", async () => {
    const get = (more: string) => raw(demo.url, `GET /mark.svg HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`);
    const etag = /^etag: (.*)$/im.exec(await get(""))?.[1]?.trim();
    expect(etag).toBeTruthy();
    // Not by fetch, which adds Cache-Control: no-cache to a condition.
    expect(await get(`If-None-Match: ${etag}\r\n`)).toMatch(/^HTTP\/1\.1 304 /);
  });

  it("Expect: 100-continue is answered, and the upload then passes whole", async () => {
    const { access_token } = await tokensOf("uma");
    const body = JSON.stringify({ name: "e", description: "x".repeat(900_000) });
    const answer = await raw(demo.url, `POST /api/v1/auth/api-keys HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${access_token}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 422 /);
    expect(answer).toContain("/description");
  });

  it("two headers of one name with different credentials are ambiguous, whichever comes first; the same twice is one", async () => {
    const { access_token } = await tokensOf("uma");
    const other = uma.key.replace(/.$/, (last) => (last === "a" ? "b" : "a"));
    const ask = (...lines: string[]) => raw(demo.url, `GET /api/v1/auth/me HTTP/1.1\r\nHost: ${host}\r\n${lines.map((line) => `${line}\r\n`).join("")}Connection: close\r\n\r\n`);
    const bearer = (value: string) => `Authorization: Bearer ${value}`;
    const header = (value: string) => `X-API-Key: ${value}`;
    for (const pair of [[bearer(access_token), bearer(uma.key)], [bearer(uma.key), bearer(access_token)], [header(uma.key), header(other)], [header(other), header(uma.key)]]) {
      const answer = await ask(...pair);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain("ambiguous_credentials");
    }
    for (const pair of [[bearer(uma.key), bearer(uma.key)], [header(uma.key), header(uma.key)], [header(uma.key), bearer(uma.key)]]) expect(await ask(...pair)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(bearer(uma.key), "Authorization: Basic dTpw")).toMatch(/^HTTP\/1\.1 401 /);
  });

  it("in production a WebSocket is refused, not left hanging", async () => {
    expect(await raw(demo.url, `GET /_next/hmr HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it("the development server's WebSocket passes", async () => {
    const { child, url } = await spawnServer({ SERVER_MODE: "split", NODE_ENV: "development" }, ["--conditions=react-server", "--import", "tsx", "server.ts"]);
    try {
      await new Promise((done) => child.once("message", done));
      const answer = await raw(url, `GET /_next/hmr HTTP/1.1\r\nHost: ${new URL(url).host}\r\nOrigin: ${url}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`, /\r\n\r\n/);
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    } finally {
      child.kill("SIGTERM");
      await new Promise((done) => child.once("exit", done));
    }
  }, 60_000);
});
