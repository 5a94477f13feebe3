import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { demo, keyOf, resetParts, revoke, tokensOf } from "./client";
import { spawnServer, startReplica } from "./replica";

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

describe("somebody who asks for pages and never ends asking", () => {
  it("holds half of the connections to the page process and no more, until their time is up, while others load pages", async () => {
    const server = await startReplica({ SERVER_MODE: "split", TRUSTED_PROXIES: "127.0.0.0/8,::1", PAGE_BODY_SECONDS: "8" });
    try {
      const from = (address: string) => fetch(`${server.url}/sign-in`, { headers: { "x-forwarded-for": address } }).then(({ status }) => status);
      // An action's body is read before anything is answered.
      const started = `POST /sign-in HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nX-Forwarded-For: 203.0.113.7\r\nNext-Action: ${"0".repeat(42)}\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 1000\r\n\r\n[`;
      expect(await from("203.0.113.8")).toBe(200);
      const statuses: number[] = [];
      const refused: string[] = [];
      const slow = Array.from({ length: 300 }, () => raw(server.url, started).then((answer) => {
        statuses.push(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]));
        refused.push(answer);
      }));
      await expect.poll(() => statuses.length, { timeout: 10_000, interval: 10 }).toBe(300 - 128);
      expect(new Set(statuses)).toEqual(new Set([429]));
      expect(refused[0]).toMatch(/^retry-after: \d/im);
      expect([await from("203.0.113.8"), await from("203.0.113.7")]).toEqual([200, 429]);
      expect(statuses).toHaveLength(300 - 128);
      await Promise.all(slow);
      expect(statuses.slice(300 - 128)).toEqual(Array.from({ length: 128 }, () => 408));
      expect(await from("203.0.113.7")).toBe(200);
    } finally {
      await server.stop();
    }
  });
});
