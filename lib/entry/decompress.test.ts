import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { heldBytes } from "./body-budget";
import { newApi } from "./api";
import { observed } from "./observed";
import { readBody } from "./read-body";

const limit = 3_000_000;
const app = newApi();
app.post("/t", observed(async (c) => c.json({ length: (await readBody(c, limit)).length })));
const server = createServer((incoming, outgoing) => void getRequestListener(app.fetch)(incoming, outgoing));
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => server.close());

async function post(body: Buffer, headers: Record<string, string> = {}): Promise<{ status: number; accepts: string | undefined; json: { code?: string; length?: number } }> {
  const sent = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", path: "/t", method: "POST", headers: { "content-type": "application/json", ...headers } });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const part of answer.setEncoding("utf8")) text += String(part);
  return { status: answer.statusCode ?? 0, accepts: answer.headers["accept-encoding"], json: JSON.parse(text) as { code?: string } };
}

const text = Buffer.from(JSON.stringify({ question: "ä".repeat(10_000) }));
const plain = { status: 200, json: { length: text.toString().length } };

it.each([["gzip", gzipSync], ["x-gzip", gzipSync], ["deflate", deflateSync], ["br", brotliCompressSync]] as const)("a body compressed with %s is read as what it stands for", async (encoding, compress) => {
  expect(await post(compress(text), { "content-encoding": encoding })).toMatchObject(plain);
  expect(await post(compress(text), { "content-encoding": encoding.toUpperCase(), "transfer-encoding": "chunked" })).toMatchObject(plain);
  expect((await post(compress(text).subarray(0, -9), { "content-encoding": encoding })).json.code).toBe("bad_request");
  expect((await post(text, { "content-encoding": encoding })).json.code).toBe("bad_request");
});

it("an encoding that is not known is told which are, and identity is none", async () => {
  for (const encoding of ["zstd", "gzip, br", "constructor"]) expect(await post(text, { "content-encoding": encoding })).toMatchObject({ status: 415, accepts: "gzip, deflate, br", json: { code: "unsupported_media_type" } });
  expect(await post(text, { "content-encoding": "identity" })).toMatchObject(plain);
});

it("the limit counts what a body stands for, and no more than that is made", async () => {
  const large = gzipSync(Buffer.alloc(limit + 1, 97));
  expect(large.length).toBeLessThan(limit / 100);
  expect(await post(large, { "content-encoding": "gzip" })).toMatchObject({ status: 413, json: { code: "body_too_large" } });
  expect(await post(gzipSync(Buffer.alloc(limit, 97)), { "content-encoding": "gzip" })).toMatchObject({ status: 200, json: { length: limit } });
  await expect.poll(heldBytes).toBe(0);
});
